"""Records: a received message as SQS delivered it, and the one decision about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Outcome(Enum):
    """The outcome of a record. RELEASED: the runtime gave it back, because nobody decided or the worker stops."""

    ACKED = "acked"
    NACKED = "nacked"
    REJECTED = "rejected"
    RELEASED = "released"


class Settler(Protocol):
    """The part that carries out decisions: a queue's runtime, a Lambda batch, a test."""

    async def ack(self, record: "SQSRecord") -> None:
        """Deletes the message: it must not come again."""

    async def nack(self, record: "SQSRecord", delay: float | None) -> None:
        """Redelivers the message after `delay` seconds (None: backoff by its receive count)."""

    async def reject(self, record: "SQSRecord", reason: str) -> None:
        """Sends the message, which can never succeed, to the dead-letter queue, and only then deletes it."""


@dataclass(slots=True, eq=False)
class SQSRecord:
    """One delivery of one message."""

    queue: str
    body: str
    message_id: str = ""
    receipt_handle: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_attributes: Mapping[str, Any] = field(default_factory=dict)
    settler: Settler | None = field(default=None, repr=False)
    outcome: Outcome | None = None
    received_at: float = 0.0
    expires_at: float = 0.0

    @property
    def receive_count(self) -> int:
        return int(self.attributes.get("ApproximateReceiveCount", 1))

    @property
    def group(self) -> str | None:
        return self.attributes.get("MessageGroupId")

    def decide(self, outcome: Outcome) -> bool:
        """Records the first decision; False if there is one already, also by another message parsed from the record."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        return True


def record_from(queue: str, message: Mapping[str, Any], settler: Settler) -> SQSRecord:
    """A record from ReceiveMessage's format."""
    return SQSRecord(
        queue,
        message["Body"],
        message["MessageId"],
        message["ReceiptHandle"],
        message.get("Attributes") or {},
        message.get("MessageAttributes") or {},
        settler,
    )
