"""FastStream's own features on this broker: filters, dependencies, parsers, decoders, codecs, batches, publishers."""

import json
from typing import Annotated, Any

import pytest
from faststream import Depends
from faststream.exceptions import FeatureNotSupportedException, SubscriberNotFound
from faststream_sqs import (
    Outcome,
    SQSBatchMessage,
    SQSBroker,
    SQSMessage,
    SQSQueue,
    SQSRecord,
    SQSResponse,
    SQSRouter,
    TestSQSBroker,
)
from faststream_sqs.annotations import SQSBatchMessage as InjectedBatch
from faststream_sqs.annotations import SQSBroker as InjectedBroker
from faststream_sqs.annotations import SQSMessage as InjectedMessage
from pydantic import BaseModel

from sqs_suite.fakes import FakeSQS


class Order(BaseModel):
    id: int


async def test_filters_choose_the_handler_and_unmatched_messages_are_nacked() -> None:
    broker = SQSBroker(logger=None)
    subscriber = broker.subscriber("q")
    seen: list[str] = []

    @subscriber(filter=lambda message: message.headers.get("kind") == "a")
    async def a(body: str) -> None:
        seen.append(f"a {body}")

    @subscriber(filter=lambda message: message.headers.get("kind") == "b")
    async def b(body: str) -> None:
        seen.append(f"b {body}")

    test = TestSQSBroker(broker)
    async with test as started:
        await started.publish("x", "q", headers={"kind": "b"})
        await started.publish("y", "q", headers={"kind": "a"})
        with pytest.raises(SubscriberNotFound):
            await started.publish("z", "q")
        assert (await test.deliver("z", "q")).outcome is Outcome.NACKED
    assert seen == ["b x", "a y"]


async def test_dependencies_of_the_broker_the_router_and_the_handler() -> None:
    order: list[str] = []

    def note(name: str) -> Any:
        async def dependency() -> None:
            order.append(name)

        return Depends(dependency)

    async def doubled(order: Order) -> int:
        return order.id * 2

    router = SQSRouter(dependencies=[note("router")])
    broker = SQSBroker(dependencies=[note("broker")], routers=[router])

    @router.subscriber("q", dependencies=[note("subscriber")])
    async def handle(
        order: Order, twice: Annotated[int, Depends(doubled)], message: InjectedMessage, used: InjectedBroker
    ) -> None:
        assert (order.id, twice) == (2, 4)
        assert isinstance(message, SQSMessage)
        assert used is broker

    async with TestSQSBroker(broker) as started:
        await started.publish(Order(id=2), "q")
    assert sorted(order) == ["broker", "router", "subscriber"]


async def test_custom_parsers_and_decoders_wrap_the_originals() -> None:
    async def parse(record: SQSRecord, original: Any) -> SQSMessage:
        message: SQSMessage = await original(record)
        message.headers["seen"] = "by the parser"
        return message

    async def decode(message: SQSMessage, original: Any) -> Any:
        return {"id": (await original(message))["id"] + 1}

    broker = SQSBroker(parser=parse)
    seen: list[Any] = []

    @broker.subscriber("q", decoder=decode)
    async def handle(order: Order, message: InjectedMessage) -> None:
        seen.append((order.id, message.headers["seen"]))

    async with TestSQSBroker(broker) as started:
        await started.publish({"id": 1}, "q")
    assert seen == [(2, "by the parser")]


class Shouting:
    """A codec that sends bodies in capital letters."""

    async def encode(self, msg: Any, serializer: Any) -> tuple[bytes, str | None]:
        return json.dumps(msg).upper().encode(), "application/shout"

    async def encode_batch(self, msgs: Any, serializer: Any) -> Any:
        return [await self.encode(msg, serializer) for msg in msgs]

    async def decode(self, msg: Any) -> Any:
        return json.loads(msg.body.decode().lower())

    async def decode_batch(self, msg: Any) -> Any:
        return [json.loads(body.decode().lower()) for body in msg.body]


async def test_a_codec_encodes_and_decodes_single_messages_and_batches() -> None:
    broker = SQSBroker(codec=Shouting())
    seen: list[Any] = []

    @broker.subscriber("q")
    async def handle(body: dict[str, str]) -> None:
        seen.append(body)

    @broker.subscriber("many", batch=True)
    async def handle_many(bodies: list[dict[str, str]]) -> None:
        seen.append(bodies)

    async with TestSQSBroker(broker) as started:
        await started.publish({"a": "b"}, "q")
        await started.publish_batch({"a": "b"}, {"c": "d"}, queue="many")
    assert seen == [{"a": "b"}, [{"a": "b"}, {"c": "d"}]]


async def test_a_batch_handler_gets_models_and_decides_one_by_one() -> None:
    broker = SQSBroker(logger=None)
    seen: list[list[int]] = []

    @broker.subscriber("q", batch=True, max_records=3)
    async def handle(orders: list[Order], batch: InjectedBatch) -> None:
        seen.append([order.id for order in orders])
        for order, message in zip(orders, batch.messages, strict=True):
            if order.id == 1:
                await message.reject("one is poison")

    test = TestSQSBroker(broker)
    async with test as started:
        found = await test.deliver_batch([f'{{"id": {n}}}' for n in range(3)], "q")
        assert [one.outcome for one in found] == [Outcome.ACKED, Outcome.REJECTED, Outcome.ACKED]
        await started.publish_batch(*[Order(id=n) for n in range(10, 15)], queue="q")
        await started.publish(Order(id=20), "q")
        found = await test.deliver_batch(['{"id": 30}', "{"], "q")
        assert [one.outcome for one in found] == [Outcome.NACKED, Outcome.NACKED]
    assert seen == [[0, 1, 2], [10, 11, 12], [13, 14], [20]]


async def test_a_raw_batch_handler_that_fails_nacks_what_is_left() -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q", batch=True, raw=True)
    async def handle(batch: SQSBatchMessage) -> None:
        await batch.messages[0].ack()
        raise ValueError

    test = TestSQSBroker(broker)
    async with test:
        found = await test.deliver_batch(["a", "b"], "q")
    assert [one.outcome for one in found] == [Outcome.ACKED, Outcome.NACKED]


async def test_publishers_send_what_handlers_return_with_its_options() -> None:
    fake = FakeSQS()
    broker = SQSBroker(fake, logger=None)
    first = broker.publisher("one.fifo", group="default-group", headers={"from": "publisher"})

    @broker.subscriber("q")
    @first
    @broker.publisher("two", headers={"second": "yes"})
    async def handle(body: dict[str, int]) -> SQSResponse:
        return SQSResponse({"n": body["n"] + 1}, headers={"own": "1"}, group="g", deduplication_id="d", delay=3)

    await broker.connect()
    for subscriber in broker.subscribers:
        subscriber._build_fastdepends_model()
        await subscriber.process_message(SQSRecord("q", '{"n": 1}', "m1"))
    await first.publish("alone")
    sent = {params["QueueUrl"].rpartition("/")[2]: params for params in fake.sent[:2]}
    for params in sent.values():
        assert params["MessageBody"] == '{"n":2}'
        assert (params["MessageGroupId"], params["MessageDeduplicationId"], params["DelaySeconds"]) == ("g", "d", 3)
        assert params["MessageAttributes"]["own"]["StringValue"] == "1"
    assert sent["one.fifo"]["MessageAttributes"]["from"]["StringValue"] == "publisher"
    assert fake.sent[2]["MessageGroupId"] == "default-group"
    await broker.stop()


async def test_requests_are_refused_with_a_typed_error() -> None:
    broker = SQSBroker(FakeSQS(), logger=None)
    await broker.connect()
    with pytest.raises(FeatureNotSupportedException, match="no request"):
        await broker.request("x", "q")
    with pytest.raises(FeatureNotSupportedException, match="no request"):
        await broker.publisher("q").request("x")
    await broker.stop()


@pytest.mark.parametrize(
    "options",
    [
        {"visibility": 0},
        {"max_receives": 3},
        {"max_receives": 0, "dead_letter": "d"},
        {"max_receives": 3, "dead_letter": "d.fifo"},
    ],
)
def test_impossible_queues_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"visibility|max_receives|redrives"):
        SQSQueue("q", **options)


async def test_the_queues_own_wait_is_used_unless_the_subscriber_overrides_it() -> None:
    broker = SQSBroker()
    waits = [
        broker.subscriber(SQSQueue("a", wait=3)).consumption.wait,
        broker.subscriber(SQSQueue("a", wait=3), wait=0).consumption.wait,
        broker.subscriber("a").consumption.wait,
    ]
    assert waits == [3, 0, 20]
