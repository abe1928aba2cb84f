"""The type of an error alone decides how its message is settled."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from faststream_sqs import SQSMessage, SQSRecord

from chassis.errors import NotFound, NotYet, Rejected, Retryable, Stale, Unavailable
from chassis.messaging.dispatch import Delivery
from chassis.messaging.worker import TimeoutMiddleware, acknowledge, organization_of
from chassis.resilience.deadline import left


class Message:
    """A message that records how it was settled."""

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
    await acknowledge(outcome)(cast("SQSMessage", message))
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
async def test_after_the_last_receive_the_dead_letter_has_the_reason(error: Exception | None, settled: Any) -> None:
    message, outcome = Message(), Outcome(error)
    message.receive_count = outcome.max_receives
    await acknowledge(outcome)(cast("SQSMessage", message))
    assert message.settled == [settled]


class WaitingDispatcher(Outcome):
    """A dispatcher that waits for `seconds`, and records the time limits of its calls."""

    def __init__(self, seconds: float, error: Exception | None = None) -> None:
        super().__init__(error)
        self.seconds, self.patience = seconds, 0.0

    async def handle(self, delivery: Delivery) -> None:
        self.patience = left(60) if self.seconds == 0 else 0.0
        await asyncio.sleep(self.seconds)
        await super().handle(delivery)


async def test_a_delivery_that_takes_too_long_is_retried() -> None:
    message = Message()
    await acknowledge(TimeoutMiddleware(WaitingDispatcher(60), 0.05))(cast("SQSMessage", message))
    assert message.settled == ["nack"]


async def test_a_timeout_of_the_handler_itself_is_its_own_failure() -> None:
    message = Message()
    message.receive_count = WaitingDispatcher.max_receives
    await acknowledge(TimeoutMiddleware(WaitingDispatcher(0, TimeoutError("mine")), 30))(cast("SQSMessage", message))
    assert message.settled == [
        ("reject", f"gave up after {WaitingDispatcher.max_receives} receives: TimeoutError: mine")
    ]


async def test_the_calls_of_a_delivery_end_before_it_does() -> None:
    dispatcher = WaitingDispatcher(0)
    await TimeoutMiddleware(dispatcher, 30).handle(Delivery(b"{}", "message1"))
    assert 27 < dispatcher.patience <= 28


@pytest.mark.parametrize(
    ("body", "group", "organization"),
    [
        ({"detail": {"orgid": "org_a", "data": {}}}, None, "org_a"),
        ({"detail": {"orgid": "org_a"}}, "org_b", "org_b"),
        ({"detail": {"data": {"text": '"orgid": "org_evil"'}, "orgid": "org_a"}}, None, "org_a"),
        ({"detail": {}}, None, None),
        ("no event", None, None),
    ],
)
def test_the_organization_of_a_message(body: Any, group: str | None, organization: str | None) -> None:
    attributes = {"MessageGroupId": group} if group else {}
    for text in (json.dumps(body), json.dumps(body, separators=(",", ":"))):
        assert organization_of(SQSRecord("queue", text, attributes=attributes)) == organization
