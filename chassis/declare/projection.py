"""The declaration of a projection: the keys of a service's table that only one subscription writes.

`chassis.work.projection_versions` builds a second generation of a projection beside the live one.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Projection:
    """The rows that only one subscription, its `consumer` ("analytics.figures"), writes. `words` are the kinds of those
    rows and the names of their lists."""

    consumer: str
    words: frozenset[str]

    def holds(self, pk: str) -> bool:
        """Whether a key, of any generation, belongs to the projection."""
        family, _, rest = pk.partition("#")
        if family == "INBOX":
            return rest.partition("#")[0].partition("@")[0] == self.consumer
        word = rest.partition("#")[2].partition("#")[0]
        return family == "ORG" and word.partition("@")[0] in self.words

    def at(self, pk: str, generation: int) -> str:
        """A key without a generation, written for `generation`. Keys of others stay as they are."""
        if not generation or not self.holds(pk):
            return pk
        family, _, rest = pk.partition("#")
        if family == "INBOX":
            consumer, _, event_id = rest.partition("#")
            return f"{family}#{consumer}@{generation}#{event_id}"
        org, _, words = rest.partition("#")
        word, mark, more = words.partition("#")
        return f"{family}#{org}#{word}@{generation}{mark}{more}"

    def without_generation(self, pk: str) -> tuple[str, int] | None:
        """The key without its generation, and the generation; None for a key that does not belong to the projection."""
        if not self.holds(pk):
            return None
        mark = re.search(r"@(\d+)(?=#|$)", pk)
        return (pk.replace(mark[0], "", 1), int(mark[1])) if mark else (pk, 0)
