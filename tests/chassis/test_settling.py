"""What becomes of a message is decided by the type of the error, and by nothing else."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from faststream_sqs import SQSMessage

from chassis.dispatch import Delivery, Dispatcher
from chassis.errors import NotFound, NotYet, Rejected, Retryable, Stale, Unavailable
from chassis.worker import settling


class Message:
    """A message that remembers how it was settled."""

    body, message_id, receive_count = b"{}", "message1", 3
    sent_at = datetime(2026, 11, 21, tzinfo=UTC)

    def __init__(self) -> None:
        self.settled: list[Any] = []

    async def ack(self) -> None:
        self.settled.append("ack")

    async def nack(self) -> None:
        self.settled.append("nack")

    async def reject(self, reason: str) -> None:
        self.settled.append(("reject", reason))


class Outcome:
    """A dispatcher with one outcome."""

    max_receives = 4

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.deliveries: list[Delivery] = []

    async def handle(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("error", "settled"),
    [
        (None, "ack"),
        (Rejected("never"), ("reject", "never")),
        (NotFound("task"), ("reject", "No such task.")),
        (Retryable("later"), "nack"),
        (Stale("changed"), "nack"),
        (NotYet("waits"), "nack"),
        (Unavailable("down"), "nack"),
        (RuntimeError("a bug"), "nack"),
        (KeyError("a bug"), "nack"),
    ],
    ids=repr,
)
async def test_settlement(error: Exception | None, settled: Any) -> None:
    message, outcome = Message(), Outcome(error)
    await settling(cast("Dispatcher", outcome))(cast("SQSMessage", message))
    assert message.settled == [settled]
    assert outcome.deliveries == [Delivery(b"{}", "message1", 3, message.sent_at)]


@pytest.mark.parametrize(
    ("error", "settled"),
    [
        (None, "ack"),
        (Rejected("never"), ("reject", "never")),
        (NotYet("waits"), ("reject", "gave up after 4 receives: waits")),
        (RuntimeError("a bug"), ("reject", "gave up after 4 receives: RuntimeError: a bug")),
    ],
    ids=repr,
)
async def test_the_last_receive_tells_the_dead_letter_why(error: Exception | None, settled: Any) -> None:
    message, outcome = Message(), Outcome(error)
    message.receive_count = outcome.max_receives
    await settling(cast("Dispatcher", outcome))(cast("SQSMessage", message))
    assert message.settled == [settled]
