"""A received message as SQS gave it, and the one decision that is taken about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Outcome(Enum):
    """What became of a record. RELEASED is the runtime's own: given back because nobody decided or the worker stops."""

    ACKED = "acked"
    NACKED = "nacked"
    REJECTED = "rejected"
    RELEASED = "released"


class Settler(Protocol):
    """Carries a decision out: a queue's runtime, a Lambda batch, a test."""

    async def ack(self, record: "SQSRecord") -> None:
        """The message is done and must not come again."""

    async def nack(self, record: "SQSRecord", delay: float | None) -> None:
        """The message must come again after `delay` seconds (None: back off by its receive count)."""

    async def reject(self, record: "SQSRecord", reason: str) -> None:
        """The message can never succeed: to the dead-letter queue with it, and only then it is done."""


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
        """Takes the decision if none was taken; a message parsed twice from one record still has only one."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        return True


def record_from(queue: str, message: Mapping[str, Any], settler: Settler) -> SQSRecord:
    """From ReceiveMessage's shape."""
    return SQSRecord(
        queue,
        message["Body"],
        message["MessageId"],
        message["ReceiptHandle"],
        message.get("Attributes") or {},
        message.get("MessageAttributes") or {},
        settler,
    )
