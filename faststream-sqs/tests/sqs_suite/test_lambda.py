"""A batch in Lambda: the same pipeline and decisions, and an answer that lists every message without an ack."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faststream import AckPolicy, BaseMiddleware, FastStream
from faststream.exceptions import AckMessage, NackMessage, RejectMessage, SkipMessage, StopConsume
from faststream_sqs import (
    Backoff,
    LambdaHandler,
    NotAnSQSEvent,
    SQSBroker,
    SQSMessage,
    SQSQueue,
    lambda_handler,
)
from pydantic import BaseModel

from awsjson import AwsError
from sqs_suite.events import Context, event, failed_ids, record
from sqs_suite.fakes import FakeSQS


class Order(BaseModel):
    id: int


@pytest.fixture
def fake() -> FakeSQS:
    return FakeSQS()


@pytest.fixture
def broker(fake: FakeSQS) -> SQSBroker:
    return SQSBroker(fake, logger=None)


@pytest.fixture
def handler(broker: SQSBroker) -> Iterator[LambdaHandler]:
    made = lambda_handler(broker, margin=0.2)
    yield made
    made.close()


def returned(fake: FakeSQS) -> dict[str, int]:
    calls = [params for name, params in fake.calls if name == "ChangeMessageVisibilityBatch"]
    return {e["ReceiptHandle"].removeprefix("receipt of "): e["VisibilityTimeout"] for p in calls for e in p["Entries"]}


def test_messages_without_an_ack_have_failed(broker: SQSBroker, fake: FakeSQS, handler: LambdaHandler) -> None:
    class Meddling(BaseMiddleware):
        async def on_receive(self) -> Any:
            if self.msg is not None and self.msg.body == "on_receive":
                raise OSError
            return await super().on_receive()

        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            if msg.body == b"before":
                raise OSError
            result = await call_next(msg)
            if msg.body == b"after":
                raise OSError
            return result

    broker.add_middleware(Meddling)
    errors: dict[str, BaseException] = {
        "bug": ValueError(),
        "nack": NackMessage(delay=7),
        "reject": RejectMessage(reason="no"),
        "ack": AckMessage(),
        "skip": SkipMessage(),
        "cancel": asyncio.CancelledError(),
        "stop": StopConsume(),
        "exit": SystemExit(1),
    }

    @broker.subscriber(SQSQueue("q", dead_letter="dead"), backoff=Backoff(base=60, random=lambda: 1.0), max_workers=3)
    async def handle(body: str) -> None:
        if body in errors:
            raise errors[body]

    answer = handler(event("ok", *errors, "on_receive", "before", "after", "ok2"))
    lost = ["bug", "nack", "skip", "cancel", "stop", "exit", "on_receive", "before", "after"]
    assert failed_ids(answer) == lost
    assert returned(fake) == dict.fromkeys(lost, 60) | {"nack": 7}
    assert [params["MessageBody"] for params in fake.sent] == ["reject"]
    assert failed_ids(handler(event("ok"))) == [], "a handler that asked to stop stopped the function"


@pytest.mark.parametrize("raw", [True, False])
def test_a_handler_that_exits_does_not_disable_the_function(raw: bool) -> None:
    app = FastStream(broker := SQSBroker(FakeSQS(), logger=None), logger=None)
    seen: list[bytes] = []

    @broker.subscriber("q", raw=raw)
    async def handle(message: Any) -> None:
        seen.append(message)
        if len(seen) == 1:
            sys.exit(1)
        if len(seen) == 2:
            raise StopConsume

    with lambda_handler(app) as handler:
        assert failed_ids(handler(event("a"))) == ["a"]
        assert failed_ids(handler(event("b"))) == ["b"]
        assert failed_ids(handler(event("c", "d"))) == []
    assert len(seen) == 4


def test_fifo_fails_everything_after_the_first_failure_of_a_group(
    broker: SQSBroker, fake: FakeSQS, handler: LambdaHandler
) -> None:
    seen: list[str] = []

    @broker.subscriber("q.fifo", max_workers=4, backoff=Backoff(base=30, random=lambda: 1.0))
    async def handle(body: str) -> None:
        seen.append(body)
        await asyncio.sleep(0)
        if body == "a1":
            raise ValueError

    bodies = ["a0", "b0", "a1", "b1", "a2", "c0", "a3"]
    answer = handler({"Records": [record(body, queue="q.fifo", group=body[0]) for body in bodies]})
    assert failed_ids(answer) == ["a1", "a2", "a3"]
    assert [body for body in seen if body[0] == "a"] == ["a0", "a1"]
    assert sorted(seen) == ["a0", "a1", "b0", "b1", "c0"]
    assert returned(fake) == {"a1": 30, "a2": 0, "a3": 0}


def test_at_the_deadline_handlers_are_cancelled_and_the_rest_fails(
    broker: SQSBroker, fake: FakeSQS, handler: LambdaHandler
) -> None:
    cancelled: list[bytes] = []

    @broker.subscriber("q", raw=True, max_workers=2, backoff=Backoff(base=30, random=lambda: 1.0))
    async def handle(message: SQSMessage) -> None:
        if message.body != b"quick":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(message.body)
                raise

    began = time.monotonic()
    assert failed_ids(handler(event("quick", "slow", "slower", "waiting"), Context(0.5))) == [
        "slow",
        "slower",
        "waiting",
    ]
    assert time.monotonic() - began < 5
    assert sorted(cancelled) == [b"slow", b"slower"]
    assert returned(fake) == {"slow": 30, "slower": 30, "waiting": 0}
    assert failed_ids(handler(event("quick"), Context(0.1))) == ["quick"], "no time is left"


def test_a_thread_that_does_not_end_does_not_hold_the_answer(broker: SQSBroker, handler: LambdaHandler) -> None:
    release: list[bool] = []

    @broker.subscriber("q")
    def handle(body: str) -> None:
        deadline = time.monotonic() + 5
        while body == "stuck" and not release and time.monotonic() < deadline:
            time.sleep(0.01)

    assert failed_ids(handler(event("stuck"), Context(0.4))) == ["stuck"]
    release.append(True)
    assert failed_ids(handler(event("fine"))) == []


def test_one_loop_for_all_invocations(broker: SQSBroker, handler: LambdaHandler) -> None:
    loops: set[int] = set()
    background: list[asyncio.Task[None]] = []

    @broker.subscriber("q")
    async def handle(body: str) -> None:
        loops.add(id(asyncio.get_running_loop()))
        background.append(asyncio.create_task(asyncio.sleep(0)))

    for n in range(3):
        assert failed_ids(handler(event(f"m{n}"))) == []
    assert len(loops) == 1
    assert background[0].done()


def test_malformed_bodies_fail_alone(broker: SQSBroker, handler: LambdaHandler) -> None:
    @broker.subscriber("q")
    async def handle(order: Order) -> None: ...

    bodies = ['{"id": 1}', "{", '{"id": "x"}', "", "\ud800", "[" * 100_000, '{"id": 2}']
    records = [record(body, str(n)) for n, body in enumerate(bodies)]
    records[0]["messageAttributes"] = {"n": {"dataType": "String", "stringValue": "1"}}
    records[1]["messageAttributes"] = {"fs-encoding": {"dataType": "String", "stringValue": "base64"}}
    records[2]["messageAttributes"] = {"fs-headers": {"dataType": "String", "stringValue": "{"}}
    records[6]["messageAttributes"] = {"b": {"dataType": "Binary", "binaryValue": "***"}}
    assert failed_ids(handler({"Records": records})) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("wrong", [{}, {"Records": None}, {"Records": [{}]}, {"Records": [1]}, [], None])
def test_an_event_that_cannot_be_answered_is_refused(handler: LambdaHandler, wrong: Any) -> None:
    with pytest.raises(NotAnSQSEvent):
        handler(wrong)


def test_a_queue_without_a_subscriber_fails(broker: SQSBroker, handler: LambdaHandler) -> None:
    @broker.subscriber("q")
    async def handle(body: str) -> None: ...

    assert failed_ids(handler({"Records": [record("a"), record("b", queue="other")]})) == ["b"]
    assert handler({"Records": []}) == {"batchItemFailures": []}


def test_a_reject_that_cannot_be_buried_fails(broker: SQSBroker, fake: FakeSQS, handler: LambdaHandler) -> None:
    @broker.subscriber(SQSQueue("q", dead_letter="dead"), ack_policy=AckPolicy.REJECT_ON_ERROR)
    async def handle(body: str) -> None:
        raise ValueError

    fake.fault = lambda operation, params: AwsError("Down", status=500) if operation == "SendMessage" else None
    assert failed_ids(handler(event("a"))) == ["a"]
    fake.fault = lambda operation, params: None
    assert failed_ids(handler(event("a"))) == []
    assert [params["MessageBody"] for params in fake.sent] == ["a"]


def test_without_the_permission_to_change_visibility_the_answer_is_the_same(
    broker: SQSBroker, fake: FakeSQS, handler: LambdaHandler
) -> None:
    @broker.subscriber("q")
    async def handle(body: str) -> None:
        raise ValueError

    fake.fault = lambda operation, params: AwsError("AccessDenied", status=403)
    assert failed_ids(handler(event("a"))) == ["a"]
    quiet = lambda_handler(broker, change_visibility=False)
    calls = len(fake.calls)
    assert failed_ids(quiet(event("a"))) == ["a"]
    assert len(fake.calls) == calls
    quiet.close()


def test_the_app_starts_once_with_its_lifespan_and_hooks() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        told.append("open")
        yield
        told.append("closed")

    broker = SQSBroker(FakeSQS(missing=True), logger=None)
    app = FastStream(broker, logger=None, lifespan=lifespan, after_startup=[lambda: told.append("started")])

    @broker.subscriber("q")
    async def handle(body: str) -> None:
        told.append(body)

    handler = lambda_handler(app)
    handler(event("a"))
    handler(event("b"))
    handler.close()
    assert told == ["open", "started", "a", "b", "closed"]


def test_a_start_that_fails_is_retried() -> None:
    broker = SQSBroker(FakeSQS(), logger=None)
    tries: list[int] = []

    def fail_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError

    app = FastStream(broker, logger=None, on_startup=[fail_once])

    @broker.subscriber("q")
    async def handle(body: str) -> None: ...

    handler = lambda_handler(app)
    with pytest.raises(OSError):  # noqa: PT011  # the hook's own
        handler(event("a"))
    assert failed_ids(handler(event("a"))) == []
    handler.close()


def test_a_batch_subscriber_gets_the_invocations_batch(broker: SQSBroker, handler: LambdaHandler) -> None:
    calls: list[list[int]] = []

    @broker.subscriber("q", batch=True, max_records=3)
    async def handle(orders: list[Order]) -> None:
        calls.append([order.id for order in orders])
        if len(orders) == 1:
            raise ValueError

    assert failed_ids(handler(event(*[f'{{"id": {n}}}' for n in range(7)]))) == ['{"id": 6}']
    assert calls == [[0, 1, 2], [3, 4, 5], [6]]
