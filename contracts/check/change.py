"""Changes of a contract: the field, the difference, and its severity for consumers and producers."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    SAFE = 0
    """A change that nobody can notice."""
    RISKY = 1
    """A change after which everything still parses; a person must judge whether the meaning is the same."""
    BREAKING = 2
    """A change that fails a consumer or producer which keeps to the contract. It needs a new version."""

    def __str__(self) -> str:
        return self.name.lower()


SAFE, RISKY, BREAKING = Severity


@dataclass(frozen=True)
class Change:
    """One difference at `field` ("" for the event as a whole; `items[].sku`, `counts{}` inside lists and maps).

    `consumers`: can consumers of the old contract read events of the new one? `producers`: do events of the old
    contract (from a service that is not deployed yet, from queues, from an archive) still fit the new one?
    """

    field: str
    kind: str
    what: str
    consumers: Severity = SAFE
    producers: Severity = SAFE

    @property
    def worst(self) -> Severity:
        return max(self.consumers, self.producers)

    def __str__(self) -> str:
        return f"field {self.field} {self.what}" if self.field else self.what
