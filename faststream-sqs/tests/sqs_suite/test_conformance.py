"""The broker against SQS in memory, in moto (through boto3) and in the emulator, with the same results."""

import asyncio
import time
from collections import Counter
from typing import Any, Literal
from uuid import uuid4

import pytest
from faststream.exceptions import NackMessage, RejectMessage
from faststream_sqs import (
    Backoff,
    QueueNotFound,
    SQSBroker,
    SQSMessage,
    SQSQueue,
)

from sqs_suite.backends import Backend, broker_for
from sqs_suite.memory_sqs import MemorySQS
from sqs_suite.waiting import until


async def test_many_messages_are_each_handled_once(backend: Backend, queue: str) -> None:
    many = 50 if backend.name == "moto" else 1000  # moto's deletes walk through all that was ever sent
    url = await backend.create(queue)
    await backend.fill(url, many)
    seen: Counter[bytes] = Counter()

    async def handle(message: SQSMessage) -> None:
        seen[message.body] += 1

    broker = broker_for(backend, queue, handle, max_workers=8, pollers=2)
    await broker.start()
    await until(lambda: len(seen) == many, 30)
    await broker.stop()
    assert set(seen.values()) == {1}
    assert await backend.counts(url) == (0, 0)


async def test_nack_with_a_delay_comes_again_after_it(backend: Backend, queue: str) -> None:
    await backend.create(queue)
    times: list[tuple[float, int]] = []

    async def handle(message: SQSMessage) -> None:
        times.append((time.monotonic(), message.receive_count))
        if message.receive_count == 1:
            raise NackMessage(delay=1)

    broker = broker_for(backend, queue, handle)
    await broker.start()
    await broker.publish("x", queue)
    await until(lambda: len(times) == 2, 10)
    await broker.stop()
    assert [count for _, count in times] == [1, 2]
    assert times[1][0] - times[0][0] >= 0.9 * backend.second


async def test_bugs_back_off_by_the_receive_count(backend: Backend, queue: str) -> None:
    await backend.create(queue)
    times: list[float] = []

    async def handle(message: SQSMessage) -> None:
        times.append(time.monotonic())
        if len(times) < 2:
            raise ValueError

    broker = broker_for(backend, queue, handle, backoff=Backoff(base=0.5, cap=1.0, random=lambda: 1.0))
    await broker.start()
    await broker.publish("x", queue)
    await until(lambda: len(times) == 2, 15)
    await broker.stop()
    assert times[1] - times[0] >= 0.9 * backend.second


@pytest.mark.parametrize("named", [True, False])
async def test_reject_buries_the_original_with_its_reason(backend: Backend, queue: str, named: bool) -> None:
    dead_url = await backend.create(f"{queue}-dead")
    arn = (await backend.attributes(dead_url, "QueueArn"))["QueueArn"]
    redrive = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 5}}'
    url = await backend.create(queue, **({} if named else {"RedrivePolicy": redrive}))
    ids: list[str] = []

    async def handle(message: SQSMessage) -> None:
        ids.append(message.message_id)
        raise RejectMessage(reason="cannot \x00 succeed " + "ä" * 2000)

    broker = broker_for(backend, SQSQueue(queue, dead_letter=f"{queue}-dead" if named else None), handle)
    await broker.start()
    await broker.publish('{"a": "ä"}', queue, headers={"kept": "yes"})
    await until(lambda: ids)
    await broker.stop()
    (buried,) = await backend.receive(dead_url, wait=2)
    attributes = {name: value["StringValue"] for name, value in buried["MessageAttributes"].items()}
    assert buried["Body"] == '{"a": "ä"}'
    assert attributes["SourceMessageId"] == ids[0]
    assert attributes["Reason"].startswith("cannot ? succeed ää")
    assert attributes["kept"] == "yes"
    assert await backend.counts(url) == (0, 0)


async def test_reject_without_a_dead_letter_queue_leaves_the_message(backend: Backend, queue: str) -> None:
    url = await backend.create(queue)
    seen: list[int] = []

    async def handle(message: SQSMessage) -> None:
        seen.append(message.receive_count)
        await message.reject("no")

    broker = broker_for(backend, queue, handle, backoff=Backoff(base=60, random=lambda: 1.0))
    await broker.start()
    await broker.publish("x", queue)
    await until(lambda: seen)
    await broker.stop()
    assert await backend.counts(url) == (0, 1)


async def test_a_handler_slower_than_the_visibility_runs_once(backend: Backend, queue: str) -> None:
    if backend.name == "memory":
        backend = Backend("memory", MemorySQS(), 1.0)
    visibility, length = (2, 5.0) if backend.name == "ministack" else (1, 1.7)
    url = await backend.create(queue)
    runs: list[int] = []
    finished: list[int] = []

    async def handle(message: SQSMessage) -> None:
        runs.append(message.receive_count)
        await asyncio.sleep(length)
        finished.append(1)

    broker = broker_for(backend, SQSQueue(queue, visibility=visibility), handle, max_workers=3)
    await broker.start()
    await broker.publish("x", queue)
    await until(lambda: finished, 10)
    await broker.stop()
    assert runs == [1]
    assert await backend.counts(url) == (0, 0)


async def test_stop_returns_the_buffered_at_once_and_finishes_the_running(backend: Backend, queue: str) -> None:
    url = await backend.create(queue)
    await backend.fill(url, 10)
    started, finished = asyncio.Event(), []

    async def handle(message: SQSMessage) -> None:
        started.set()
        await asyncio.sleep(0.5)
        finished.append(message.body)

    broker = broker_for(backend, SQSQueue(queue, visibility=60), handle, max_workers=2, poll_grace=2.0)
    await broker.start()
    await asyncio.wait_for(started.wait(), 5)
    await broker.stop()
    handled = len(finished)
    assert 1 <= handled <= 2
    assert await backend.counts(url) == (10 - handled, 0)


async def test_a_queue_that_is_not_there_is_named(backend: Backend, queue: str) -> None:
    async def handle(message: SQSMessage) -> None: ...

    broker = broker_for(backend, queue, handle)
    with pytest.raises(QueueNotFound, match=queue):
        await broker.start()
    declared = broker_for(backend, SQSQueue(queue, declare=True, dead_letter=f"{queue}-dead"), handle)
    await declared.start()
    await declared.stop()


async def test_fifo_keeps_the_order_of_a_group_over_a_failure(backend: Backend) -> None:
    name = f"q{uuid4().hex[:12]}.fifo"
    seen: list[str] = []
    failed: list[str] = []

    async def handle(message: SQSMessage) -> None:
        body = message.body.decode()
        if body == "a1" and not failed:
            failed.append(body)
            raise NackMessage(delay=1)
        seen.append(body)

    broker = broker_for(backend, SQSQueue(name, declare=True), handle, max_workers=4)
    await broker.start()
    for body in ("a0", "a1", "a2", "b0", "b1", "a3"):
        await broker.publish(body, name, group=body[0])
    await until(lambda: len(seen) == 6, 15)
    await broker.stop()
    assert [body for body in seen if body[0] == "a"] == ["a0", "a1", "a2", "a3"]
    assert [body for body in seen if body[0] == "b"] == ["b0", "b1"]
    assert seen.index("b1") < seen.index("a1")


@pytest.mark.ministack
@pytest.mark.parametrize("transport", ["awsjson", "boto3"])
async def test_the_brokers_own_client(
    ministack: str, queue: str, transport: Literal["awsjson", "boto3"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    got: list[Any] = []
    broker = SQSBroker(endpoint_url=ministack, region="eu-central-1", transport=transport, logger=None, poll_grace=0.05)

    @broker.subscriber(SQSQueue(queue, declare=True), wait=1, max_workers=4)
    async def handle(body: dict[str, int]) -> None:
        got.append(body)

    await broker.start()
    assert await broker.ping(5)
    ids = await broker.publish_batch(*[{"n": i} for i in range(25)], queue=queue)
    await until(lambda: len(got) == 25)
    await broker.stop()
    assert len(set(ids)) == 25
    assert sorted(one["n"] for one in got) == list(range(25))
    assert not await broker.ping(1)


async def test_get_one(backend: Backend, queue: str) -> None:
    await backend.create(queue)
    broker = SQSBroker(backend.transport, logger=None)
    subscriber = broker.subscriber(queue)
    await broker.start()
    assert await subscriber.get_one(timeout=0.2) is None
    await broker.publish({"a": 1}, queue)
    message = await subscriber.get_one(timeout=3)
    assert message is not None
    assert await message.decode() == {"a": 1}
    await broker.stop()
