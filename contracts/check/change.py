"""What can be said of a change of a contract: where, what, and how bad it is for whom."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    SAFE = 0
    """Nobody can notice."""
    RISKY = 1
    """Everything goes on to parse; whether it still means what it meant, a person must judge."""
    BREAKING = 2
    """Somebody who kept to the contract is refused. It needs a new version."""

    def __str__(self) -> str:
        return self.name.lower()


SAFE, RISKY, BREAKING = Severity


@dataclass(frozen=True)
class Change:
    """One difference at `field` ("" for the event as a whole; `items[].sku`, `counts{}` inside lists and maps).

    `consumers`: can those who kept to the old contract read events of the new one? `producers`: do events written to
    the old contract (by the service before its deployment, in queues, in an archive) still fit the new one?
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
