"""Calls that fail, calls that are executed and then fail, expired receipts, malformed bodies."""

import asyncio
import itertools
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from faststream import AckPolicy
from faststream_sqs import Backoff, SQSBroker, SQSMessage, SQSQueue
from faststream_sqs.heartbeat import HeartbeatLoop
from faststream_sqs.options import Consumption
from faststream_sqs.polling import Pollers
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import MAX_VISIBILITY
from faststream_sqs.settlement import QueueSettlement
from faststream_sqs.transport import SQSCalls
from pydantic import BaseModel

from awsjson import AwsError, ConnectionFailed, DeadlineExceeded, Throttled
from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until

NOW = Backoff(random=lambda: 0.0)


def broker_on(fake: FakeSQS, **options: Any) -> SQSBroker:
    return SQSBroker(fake, **({"logger": None, "graceful_timeout": 2.0, "poll_grace": 0.02} | options))


class ExecutedThenFailed:
    """A transport that executes the first `times` calls of an operation and then raises an error anyway."""

    def __init__(self, fake: FakeSQS, operation: str, error: Exception, times: int = 1) -> None:
        self.call, self.operation, self.error, self.left = fake.call, operation, error, times
        fake.call = self  # type: ignore[method-assign]

    async def __call__(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        answer = await self.call(service, operation, params, timeout=timeout)
        if operation == self.operation and self.left:
            self.left -= 1
            raise self.error
        return answer


@pytest.mark.parametrize("error", [DeadlineExceeded(), ConnectionFailed(sent=True), AwsError("Oops", status=500)])
async def test_a_delete_that_was_executed_and_failed_is_retried(error: AwsError) -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("a", "b")
    ExecutedThenFailed(fake, "DeleteMessageBatch", error)
    broker = broker_on(fake)
    runs: list[bytes] = []

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None:
        runs.append(message.body)

    await broker.start()
    await until(lambda: fake.count("DeleteMessageBatch") == 2)
    await broker.stop()
    assert runs == [b"a", b"b"]
    assert fake.left() == []


async def test_a_permanent_error_is_not_retried(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("a")
    fake.fault = lambda name, params: AwsError("AccessDenied", status=403) if name == "DeleteMessageBatch" else None
    broker = broker_on(fake, logger=logging.getLogger("test"))

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None: ...

    await broker.start()
    await until(lambda: "were not deleted: they come again" in caplog.text)
    await broker.stop()
    assert fake.count("DeleteMessageBatch") == 1


async def test_messages_of_a_failed_receive_come_again_when_their_visibility_ends() -> None:
    fake = FakeSQS(visibility=1)
    fake.put("a")
    ExecutedThenFailed(fake, "ReceiveMessage", DeadlineExceeded())
    broker = broker_on(fake)
    runs: list[int] = []

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None:
        runs.append(message.receive_count)

    await broker.start()
    await until(lambda: not fake.left())
    await broker.stop()
    assert runs == [2]


async def test_a_burial_that_was_executed_and_failed_is_repeated_with_the_same_source() -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("a")
    ExecutedThenFailed(fake, "SendMessage", DeadlineExceeded())
    broker = broker_on(fake)

    @broker.subscriber(SQSQueue("q", dead_letter="dead"), raw=True, wait=1, backoff=NOW)
    async def handle(message: SQSMessage) -> None:
        await message.reject("poison")

    await broker.start()
    await until(lambda: not fake.left())
    await broker.stop()
    sources = [params["MessageAttributes"]["SourceMessageId"]["StringValue"] for params in fake.sent]
    assert sources == ["m0", "m0"]


async def test_an_expired_receipt_is_reported_once_and_not_extended_again() -> None:
    fake = FakeSQS()
    told: list[str] = []
    clock = {"now": 0.0}

    async def nowhere() -> str | None:
        return None

    def log(level: int, message: str, error: BaseException | None = None) -> None:
        told.append(message)

    settlement = QueueSettlement(
        SQSCalls(fake), "http://sqs/0/q", "q", backoff=NOW, linger=0.0, dead_letter_url=nowhere, log=log
    )
    records = [SQSRecord("q", "x", str(n), f"r{n}") for n in range(12)]
    held = {record.receipt_handle: record for record in records}
    beating = HeartbeatLoop(held, settlement, visibility=30, queue="q", now=lambda: clock["now"], log=log)
    for record in records:
        beating.hold(record)
    failures = [{"Code": "ReceiptHandleIsInvalid", "SenderFault": True}]
    fake.fail_entries = lambda operation, index: failures.pop() if index == 9 and failures else None
    for now in (10.0, 20.0, 40.0, 60.0):
        clock["now"] = now
        await beating.beat()
    assert told == ["message 9 of q is no longer ours and may come again"]
    fake.fail_entries = lambda operation, index: None
    clock["now"] = MAX_VISIBILITY - 0.5
    told.clear()
    for _ in range(2):
        await beating.beat()
    assert len(told) == 11
    assert "message 0 of q is held for 12 hours: it may come again" in told


async def pauses(answers: list[Any], options: Consumption) -> list[float]:
    """The seconds between polls that return `answers`, with the maximal jitter."""
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def receive(wanted: int) -> list[dict[str, Any]]:
        times.append(loop.time())
        answer = answers[len(times) - 1] if len(times) <= len(answers) else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    pollers = Pollers(
        receive,
        lambda messages: None,
        lambda: 100,
        queue="q",
        options=options,
        log=lambda level, message, error=None: None,
        random=lambda: 1.0,
    )
    pollers.start()
    await until(lambda: len(times) > len(answers), 10)
    pollers.close()
    await asyncio.wait_for(pollers.ended.wait(), 5)
    return [after - before for before, after in itertools.pairwise(times)][: len(answers)]


async def test_empty_polls_that_do_not_wait_back_off() -> None:
    found = await pauses([[], [], [{}], []], Consumption(wait=0))
    assert found[0] >= 0.09
    assert found[1] >= 0.19
    assert found[3] >= 0.09
    assert found[2] < found[1], "a message ends the backoff"


async def test_throttled_polls_back_off() -> None:
    found = await pauses([Throttled("ThrottlingException"), ConnectionFailed("reset", sent=True)], Consumption(wait=1))
    assert found[0] >= 0.19
    assert found[1] >= 0.39


async def test_a_handler_that_refuses_to_end_does_not_keep_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faststream_sqs.runtime.CANCEL_PATIENCE", 0.05)
    fake = FakeSQS(visibility=1000)
    fake.put("stubborn")
    broker = broker_on(fake, graceful_timeout=0.05)
    started, release = threading.Event(), threading.Event()

    @broker.subscriber("q", wait=1)
    def handle(body: str) -> None:
        started.set()
        release.wait(10)

    await broker.start()
    await until(started.is_set)
    await broker.stop()
    visible = fake.visible()
    release.set()
    assert visible == ["stubborn"]
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert fake.count("DeleteMessageBatch") == 0


async def test_a_second_signal_stops_at_once() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    fake = FakeSQS(visibility=1000)
    fake.put("slow", "next")
    broker = broker_on(fake, graceful_timeout=None, poll_grace=60.0)
    started = asyncio.Event()

    @broker.subscriber("q", raw=True, wait=20)
    async def handle(message: SQSMessage) -> None:
        started.set()
        await asyncio.sleep(60)

    try:
        await broker.start()
        await asyncio.wait_for(started.wait(), 5)
        stopping = asyncio.create_task(broker.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopping, 10)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert fake.visible() == ["slow", "next"]
    assert heard == [signal.SIGTERM], "whoever listened before hears it too"


class Order(BaseModel):
    id: int


def garbage(number: int) -> str:
    noise = random.Random(number)
    kind = number % 6
    if kind == 0:
        return "".join(chr(noise.randrange(1, 0xD7FF)) for _ in range(noise.randrange(1, 40)))
    if kind == 1:
        return '{"id": ' + "[" * noise.randrange(1, 3000)
    if kind == 2:
        return '{"id": "x"}'
    if kind == 3:
        return "\ud800"
    return noise.choice(["", "null", "[]", '"', "{", "-", "1e999", '{"id": null}', "\u2028", "NaN", '{"id": 1'])


@pytest.mark.slow
async def test_ten_thousand_malformed_bodies_do_not_stop_the_consumer() -> None:
    fake = FakeSQS(visibility=1000)
    fake.put(*[garbage(number) for number in range(10_000)], '{"id": 7}')
    for number, message in enumerate(fake.messages[:-1]):
        if number % 5 == 0:
            text = {"DataType": "String", "StringValue": "base64" if number % 2 else "{"}
            message.attributes = {"fs-encoding": text, "fs-headers": text, "content-type": text}
    broker = broker_on(fake)
    seen: list[int] = []

    @broker.subscriber(
        SQSQueue("q", dead_letter="dead"), ack_policy=AckPolicy.REJECT_ON_ERROR, max_workers=4, prefetch=200, wait=1
    )
    async def handle(order: Order) -> None:
        seen.append(order.id)

    began = time.monotonic()
    await broker.start()
    await until(lambda: all(message.deleted for message in fake.messages), 60)
    await broker.stop()
    assert seen == [7]
    assert len(fake.sent) == 10_000, f"in {time.monotonic() - began:.1f} s"
