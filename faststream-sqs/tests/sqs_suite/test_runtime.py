"""The runtime on a fake SQS: polling, batches, dead letters and the stop."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from faststream_sqs import (
    Backoff,
    QueueNotFound,
    SQSBroker,
    SQSMessage,
    SQSQueue,
)
from faststream_sqs.batching import Batcher

from awsjson import AwsError
from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until


def broker_on(fake: FakeSQS, **options: Any) -> SQSBroker:
    return SQSBroker(fake, **({"logger": None, "graceful_timeout": 2.0, "poll_grace": 0.05} | options))


async def test_deletes_go_ten_at_a_time() -> None:
    fake = FakeSQS()
    fake.put(*[str(i) for i in range(40)])
    broker = broker_on(fake)

    @broker.subscriber("q", raw=True, max_workers=4, wait=1)
    async def handle(message: SQSMessage) -> None: ...

    await broker.start()
    await until(lambda: not fake.left())
    await broker.stop()
    assert fake.count("DeleteMessageBatch") <= 6
    assert all(p["MaxNumberOfMessages"] == 10 for name, p in fake.calls if name == "ReceiveMessage")


async def test_workers_run_at_once_and_no_more_than_asked() -> None:
    fake = FakeSQS()
    fake.put(*[str(i) for i in range(20)])
    broker = broker_on(fake)
    running, most = 0, 0

    @broker.subscriber("q", raw=True, max_workers=3, wait=1)
    async def handle(message: SQSMessage) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1

    await broker.start()
    await until(lambda: not fake.left())
    await broker.stop()
    assert most == 3


async def test_polling_goes_on_after_errors(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS()
    fake.put("x")
    broken = {"left": 2}

    def fault(operation: str, params: Mapping[str, Any]) -> Exception | None:
        if operation != "ReceiveMessage" or not broken["left"]:
            return None
        broken["left"] -= 1
        return AwsError("ThrottlingException")

    fake.fault = fault
    broker = broker_on(fake, logger=logging.getLogger("test"))

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None: ...

    await broker.start()
    await until(lambda: not fake.left())
    await broker.stop()
    assert "q could not be polled (2 times in a row)" in caplog.text


async def test_failed_deletes_are_retried_unless_they_are_our_fault(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS()
    fake.put("x")
    failures = [{"Code": "InternalError", "SenderFault": False}, {"Code": "InternalError", "SenderFault": False}]
    fake.fail_entries = lambda operation, index: failures.pop() if failures else None
    broker = broker_on(fake, logger=logging.getLogger("test"))

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None: ...

    await broker.start()
    await until(lambda: not fake.left())
    failures.append({"Code": "ReceiptHandleIsInvalid", "SenderFault": True})
    fake.put("y")
    await until(lambda: fake.count("DeleteMessageBatch") == 4)
    await broker.stop()
    assert fake.count("DeleteMessageBatch") == 4
    assert fake.left() == ["y"]
    assert "could not be deleted: ReceiptHandleIsInvalid" in caplog.text


async def test_decisions_that_cannot_be_sent_are_reported() -> None:
    lost: list[tuple[list[int], Exception | None]] = []

    async def send(items: list[int]) -> list[int]:
        if items == [1]:
            raise OSError("down")
        return items

    batcher = Batcher[int](send, lambda items, error: lost.append((items, error)), linger=0.001, random=lambda: 0.0)
    batcher.add(1)
    await until(lambda: lost)
    batcher.add(2)
    await batcher.drain(1)
    assert [items for items, _ in lost] == [[1], [2]]
    assert isinstance(lost[0][1], OSError)
    assert batcher.pending == 0


async def test_a_drain_does_not_wait_for_ever() -> None:
    lost: list[Exception | None] = []

    async def send(items: list[int]) -> list[int]:
        await asyncio.sleep(60)
        return []

    batcher = Batcher[int](send, lambda items, error: lost.append(error), linger=0.001)
    batcher.add(1)
    await batcher.drain(0.05)
    assert isinstance(lost[0], TimeoutError)


async def test_a_reject_that_cannot_be_buried_is_nacked(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS(redrive=json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:1:dead"}))
    fake.put("x")
    fake.fault = lambda operation, params: AwsError("Down", status=500) if operation == "SendMessage" else None
    broker = broker_on(fake, logger=logging.getLogger("test"))

    @broker.subscriber("q", raw=True, wait=1, backoff=Backoff(base=60, random=lambda: 1.0))
    async def handle(message: SQSMessage) -> None:
        await message.reject("no")

    await broker.start()
    await until(lambda: fake.count("ChangeMessageVisibilityBatch"))
    await broker.stop()
    assert fake.left() == ["x"]
    assert "could not be sent to the dead-letter queue" in caplog.text


async def test_a_missing_dead_letter_queue_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS()
    fake.put("x", "y")
    broker = broker_on(fake, logger=logging.getLogger("test"))

    @broker.subscriber("q", raw=True, wait=1, backoff=Backoff(base=60, random=lambda: 1.0))
    async def handle(message: SQSMessage) -> None:
        await message.reject("no")

    await broker.start()
    await until(lambda: fake.count("ChangeMessageVisibilityBatch"))
    await broker.stop()
    assert fake.left() == ["x", "y"]
    assert caplog.text.count("has no dead-letter queue") == 1


async def test_an_interrupted_reject_does_not_hold_the_message() -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("x")
    original = fake.call

    async def call(service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        if operation == "SendMessage":
            await asyncio.sleep(60)
        return await original(service, operation, params, timeout=timeout)

    fake.call = call  # type: ignore[method-assign]
    broker = broker_on(fake)

    @broker.subscriber(SQSQueue("q", dead_letter="dead"), raw=True, wait=1, backoff=Backoff(random=lambda: 1.0))
    async def handle(message: SQSMessage) -> None:
        async with asyncio.timeout(0.02):
            await message.reject("no")

    await broker.start()
    await until(lambda: fake.count("ChangeMessageVisibilityBatch"))
    await broker.stop()
    assert fake.left() == ["x"]
    assert fake.messages[0].visible_at < fake.now() + 10


async def test_stop_ends_a_handler_that_does_not_end_and_returns_its_message(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("stuck", "waiting")
    broker = broker_on(fake, graceful_timeout=0.1, logger=logging.getLogger("test"))
    started = asyncio.Event()

    @broker.subscriber("q", raw=True, wait=20)
    async def handle(message: SQSMessage) -> None:
        started.set()
        await asyncio.sleep(60)

    await broker.start()
    await asyncio.wait_for(started.wait(), 5)
    began = fake.now()
    await broker.stop()
    assert fake.now() - began < 2
    assert fake.visible() == ["stuck", "waiting"]
    assert "1 handlers of q did not end within 0.1 s" in caplog.text


async def test_messages_of_a_poll_during_the_stop_go_back() -> None:
    fake = FakeSQS(visibility=1000)
    broker = broker_on(fake, poll_grace=1.0)
    runs: list[bytes] = []

    @broker.subscriber("q", raw=True, wait=20)
    async def handle(message: SQSMessage) -> None:
        runs.append(message.body)

    await broker.start()
    await until(lambda: fake.count("ReceiveMessage"))
    stopping = asyncio.create_task(broker.stop())
    await asyncio.sleep(0.02)
    fake.put("late")
    await stopping
    assert runs == []
    assert fake.visible() == ["late"]


async def test_a_missing_queue_stops_the_start_and_names_it() -> None:
    broker = broker_on(FakeSQS(missing=True))

    @broker.subscriber("orders", raw=True)
    async def handle(message: SQSMessage) -> None: ...

    with pytest.raises(QueueNotFound, match="'orders' does not exist"):
        await broker.start()
    assert not broker.running
