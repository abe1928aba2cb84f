"""The test broker: parsing, handlers and decisions without a network."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from faststream import BaseMiddleware, Context, Depends
from faststream.exceptions import AckMessage, NackMessage, RejectMessage, SkipMessage, SubscriberNotFound
from faststream.middlewares import AckPolicy
from faststream_sqs import (
    Outcome,
    SQSBroker,
    SQSMessage,
    SQSQueue,
    SQSRecord,
    SQSRoute,
    SQSRoutePublisher,
    SQSRouter,
    TestSQSBroker,
)
from faststream_sqs.message import parse_message
from pydantic import BaseModel


class Order(BaseModel):
    id: int


async def test_a_typed_handler_gets_the_model() -> None:
    broker = SQSBroker()
    seen: list[Order] = []

    @broker.subscriber("orders")
    async def handle(order: Order) -> None:
        seen.append(order)

    async with TestSQSBroker(broker) as started:
        await started.publish(Order(id=1), "orders")
        handle.mock.assert_called_once_with({"id": 1})
    assert seen == [Order(id=1)]


async def test_a_raw_handler_gets_the_message() -> None:
    broker = SQSBroker()
    seen: list[SQSMessage] = []

    @broker.subscriber(SQSQueue("raw"), raw=True, no_reply=True)
    async def handle(message: SQSMessage) -> None:
        seen.append(message)

    test = TestSQSBroker(broker)
    async with test:
        settlement = await test.deliver(
            b'{"a": 1}', "raw", message_id="m", receive_count=3, group="g", attributes={"x": "1"}
        )
    message = seen[0]
    assert settlement.outcome is Outcome.ACKED
    assert (message.body, message.message_id, message.receive_count) == (b'{"a": 1}', "m", 3)
    assert (message.group, message.queue, message.attributes) == ("g", "raw", {"x": "1"})
    assert message.sent_at is None


async def test_sent_at_and_binary_attributes() -> None:
    record = SQSRecord(
        "q", "x", attributes={"SentTimestamp": "1700000000500"}, message_attributes={"b": {"BinaryValue": b"\x00"}}
    )
    message = await parse_message(record)
    assert message.sent_at == datetime.fromtimestamp(1_700_000_000.5, UTC)
    assert message.attributes == {"b": b"\x00"}


DECISIONS: list[tuple[Any, Outcome, float | None, str]] = [
    (None, Outcome.ACKED, None, ""),
    (ValueError("bug"), Outcome.NACKED, None, ""),
    (NackMessage(delay=7), Outcome.NACKED, 7, ""),
    (NackMessage(), Outcome.NACKED, None, ""),
    (RejectMessage(reason="never"), Outcome.REJECTED, None, "never"),
    (AckMessage(), Outcome.ACKED, None, ""),
    (SkipMessage(), Outcome.RELEASED, None, ""),
]


@pytest.mark.parametrize(("error", "outcome", "delay", "reason"), DECISIONS)
@pytest.mark.parametrize("raw", [True, False])
async def test_the_end_of_a_handler_decides(
    raw: bool, error: Exception | None, outcome: Outcome, delay: float | None, reason: str
) -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q", raw=raw)
    async def handle(message: Any) -> None:
        if error is not None:
            raise error

    test = TestSQSBroker(broker)
    async with test:
        settlement = await test.deliver("{}", "q")
    assert (settlement.outcome, settlement.delay, settlement.reason) == (outcome, delay, reason)
    assert len(test.settlements) == 1


POLICIES = [
    (AckPolicy.ACK_FIRST, Outcome.ACKED),
    (AckPolicy.ACK, Outcome.ACKED),
    (AckPolicy.REJECT_ON_ERROR, Outcome.REJECTED),
    (AckPolicy.NACK_ON_ERROR, Outcome.NACKED),
    (AckPolicy.MANUAL, Outcome.RELEASED),
]


@pytest.mark.parametrize(("policy", "outcome"), POLICIES)
@pytest.mark.parametrize("raw", [True, False])
async def test_the_policy_decides_about_bugs(raw: bool, policy: AckPolicy, outcome: Outcome) -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q", raw=raw, ack_policy=policy)
    async def handle(message: Any) -> None:
        raise ValueError

    test = TestSQSBroker(broker)
    async with test:
        assert (await test.deliver("{}", "q")).outcome is outcome


async def test_the_first_decision_counts() -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q", raw=True, ack_policy=AckPolicy.MANUAL)
    async def handle(message: SQSMessage) -> None:
        await message.reject("poison")
        await message.ack()
        await message.nack(1)
        raise NackMessage

    test = TestSQSBroker(broker)
    async with test:
        settlement = await test.deliver("x", "q")
    assert (settlement.outcome, settlement.reason) == (Outcome.REJECTED, "poison")
    assert len(test.settlements) == 1


@pytest.mark.parametrize("body", ["{", "[1]", "ä", '{"id": "x"}', "\u2028"])
async def test_malformed_bodies_are_nacked_once(body: str) -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q")
    async def handle(order: Order) -> None: ...

    test = TestSQSBroker(broker)
    async with test:
        assert (await test.deliver(body, "q")).outcome is Outcome.NACKED
    assert len(test.settlements) == 1


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(("policy", "outcome"), [("nack_on_error", Outcome.NACKED), ("manual", Outcome.RELEASED)])
async def test_a_parser_that_fails_never_acks(raw: bool, policy: str, outcome: Outcome) -> None:
    broker = SQSBroker(logger=None)

    async def parse(record: SQSRecord, original: Any) -> SQSMessage:
        raise ValueError

    @broker.subscriber("q", raw=raw, parser=parse, ack_policy=AckPolicy(policy))
    async def handle(body: Any) -> None: ...

    test = TestSQSBroker(broker)
    async with test:
        assert (await test.deliver("{}", "q")).outcome is outcome


async def test_a_retry_counts_up() -> None:
    broker = SQSBroker(logger=None)
    counts: list[int] = []

    @broker.subscriber("q", raw=True)
    async def handle(message: SQSMessage) -> None:
        counts.append(message.receive_count)
        if message.receive_count < 3:
            raise NackMessage(delay=0)

    test = TestSQSBroker(broker)
    async with test:
        settlement = await test.deliver("x", "q")
        while settlement.outcome is not Outcome.ACKED:
            settlement = await test.redeliver(settlement)
        with pytest.raises(SubscriberNotFound):
            await test.deliver("x", "nobody")
    assert counts == [1, 2, 3]


async def test_middlewares_see_raw_messages_and_publishes() -> None:
    seen: list[str] = []

    class Watching(BaseMiddleware):
        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            seen.append(f"consume {msg.queue}")
            return await call_next(msg)

        async def publish_scope(self, call_next: Any, cmd: Any) -> Any:
            seen.append(f"publish {cmd.destination}")
            return await call_next(cmd)

    broker = SQSBroker(middlewares=[Watching])

    @broker.subscriber("q", raw=True)
    async def handle(message: SQSMessage) -> None: ...

    async with TestSQSBroker(broker) as started:
        await started.publish("x", "q")
    assert seen == ["publish q", "consume q"]


async def test_headers_correlation_and_empty_or_binary_bodies_travel() -> None:
    broker = SQSBroker()
    seen: list[SQSMessage] = []

    @broker.subscriber("q", raw=True)
    async def handle(message: SQSMessage) -> None:
        seen.append(message)

    many = {f"header-{i}": str(i) for i in range(12)} | {"odd name": "ä", "number": 5}
    async with TestSQSBroker(broker) as started:
        await started.publish(b"\x00\xff", "q", headers={"a": "1"}, correlation_id="c")
        await started.publish(None, "q", headers=many)
        await started.publish_batch("one", "two", queue="q")
    assert (seen[0].body, seen[0].correlation_id, seen[0].headers["a"]) == (b"\x00\xff", "c", "1")
    assert seen[1].body == b""
    assert many.items() <= seen[1].headers.items()
    assert [message.body for message in seen[2:]] == [b"one", b"two"]


async def test_publishers_routers_dependencies_and_replies() -> None:
    async def doubled(order: Order) -> int:
        return order.id * 2

    async def handle(order: Order, twice: Annotated[int, Depends(doubled)], broker: Any = Context()) -> Order:
        assert isinstance(broker, SQSBroker)
        return Order(id=twice)

    broker = SQSBroker()
    router = SQSRouter("shop-", handlers=[SQSRoute(handle, "in", publishers=[SQSRoutePublisher("out")])])
    broker.include_router(router)
    results: list[Order] = []

    @broker.subscriber("shop-out")
    async def collect(order: Order) -> None:
        results.append(order)

    async with TestSQSBroker(broker) as started:
        await started.publish(Order(id=2), "shop-in", reply_to="shop-out")
    assert results == [Order(id=4), Order(id=4)]
    with pytest.raises(TypeError, match="SQS routers"):
        broker.include_router(object())


async def test_the_schema_names_the_queue() -> None:
    broker = SQSBroker()

    @broker.subscriber("orders", title="orders")
    async def handle(order: Order) -> None: ...

    @broker.subscriber("raw.fifo", raw=True)
    async def raw(message: SQSMessage) -> None: ...

    publisher = broker.publisher("out", schema=Order)
    schemas = {k: v for s in broker.subscribers for k, v in s.schema().items()} | publisher.schema()
    assert schemas["orders"].address == "orders"
    assert schemas["raw.fifo:Raw"].bindings is not None
    assert "out:Publisher" in schemas


async def test_handlers_run_at_once_on_one_subscriber() -> None:
    broker = SQSBroker()
    barrier = asyncio.Barrier(2)

    @broker.subscriber("q", raw=True)
    async def handle(message: SQSMessage) -> None:
        await asyncio.wait_for(barrier.wait(), 5)

    async with TestSQSBroker(broker) as started:
        await asyncio.gather(started.publish("a", "q"), started.publish("b", "q"))
