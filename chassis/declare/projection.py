"""The declaration of a projection: which keys of a service's table one subscription alone writes.

`chassis.work.projection_versions` builds a second version of one beside the live one."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Projection:
    """What one subscription, its `consumer` ("analytics.figures"), alone writes: the kinds of its rows and the names of
    their lists."""

    consumer: str
    words: frozenset[str]

    def holds(self, pk: str) -> bool:
        """Whether a key, of any generation, belongs to it."""
        family, _, rest = pk.partition("#")
        if family == "INBOX":
            return rest.partition("#")[0].partition("@")[0] == self.consumer
        return family == "ORG" and _word(rest).partition("@")[0] in self.words

    def at(self, pk: str, generation: int) -> str:
        """An unmarked key in a generation; keys that do not belong to it stay as they are."""
        if not generation or not self.holds(pk):
            return pk
        family, _, rest = pk.partition("#")
        if family == "INBOX":
            consumer, _, event_id = rest.partition("#")
            return f"{family}#{consumer}@{generation}#{event_id}"
        org, _, words = rest.partition("#")
        word, mark, more = words.partition("#")
        return f"{family}#{org}#{word}@{generation}{mark}{more}"

    def unmarked(self, pk: str) -> tuple[str, int] | None:
        """The key without its mark, and its generation; None for what does not belong to it."""
        if not self.holds(pk):
            return None
        found = re.search(r"@(\d+)(?=#|$)", pk)
        return (pk.replace(found[0], "", 1), int(found[1])) if found else (pk, 0)


def _word(rest: str) -> str:
    return rest.partition("#")[2].partition("#")[0]
