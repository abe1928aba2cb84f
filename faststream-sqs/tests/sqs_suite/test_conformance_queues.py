"""Queues, groups and batches against SQS in memory, in moto (through boto3) and in the emulator."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from faststream_sqs import (
    QueueConflict,
    SQSBatchMessage,
    SQSMessage,
    SQSQueue,
    SQSResponse,
)
from faststream_sqs.boto3_transport import Boto3Transport

from awsjson import AwsJson
from sqs_suite.backends import Backend, broker_for
from sqs_suite.waiting import until


async def test_declare_makes_the_redrive_policy_and_tags_and_sqs_redrives(backend: Backend, queue: str) -> None:
    dead = f"{queue}-dead"
    seen: list[int] = []

    async def handle(message: SQSMessage) -> None:
        seen.append(message.receive_count)
        await message.nack(0)

    declared = SQSQueue(queue, visibility=45, declare=True, dead_letter=dead, max_receives=2, tags={"team": "shop"})
    broker = broker_for(backend, declared, handle)
    await broker.start()
    await broker.publish("poison", queue)
    url, dead_url = await backend.create(queue), await backend.create(dead)
    attributes = await backend.attributes(url, "RedrivePolicy", "VisibilityTimeout")
    policy = json.loads(attributes["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"].rpartition(":")[2], int(policy["maxReceiveCount"])) == (dead, 2)
    assert attributes["VisibilityTimeout"] == "45"
    assert (await backend.call("ListQueueTags", QueueUrl=url))["Tags"] == {"team": "shop"}
    deadline = asyncio.get_running_loop().time() + 10
    while not (moved := await backend.receive(dead_url)):
        assert asyncio.get_running_loop().time() < deadline
    await broker.stop()
    assert moved[0]["Body"] == "poison"
    assert seen == [1, 2]


async def test_a_queue_that_differs_from_its_declaration_is_named(backend: Backend, queue: str) -> None:
    await backend.create(queue, VisibilityTimeout="10")

    async def handle(message: SQSMessage) -> None: ...

    if backend.name == "ministack":
        pytest.skip("the emulator takes a second declaration silently")
    with pytest.raises(QueueConflict, match=queue):
        await broker_for(backend, SQSQueue(queue, visibility=20, declare=True), handle).start()


@pytest.mark.parametrize("transport_of", ["standard", "fifo"])
async def test_groups_and_messages_of_a_batch_with_options_of_their_own(backend: Backend, transport_of: str) -> None:
    name = f"q{uuid4().hex[:12]}" + (".fifo" if transport_of == "fifo" else "")
    got: list[tuple[bytes, str | None, Any]] = []

    async def handle(message: SQSMessage) -> None:
        got.append((message.body, message.group, message.headers.get("x")))

    broker = broker_for(backend, SQSQueue(name, declare=True), handle)
    await broker.start()
    await broker.publish_batch(SQSResponse("a", group="g1", headers={"x": "1"}), "b", queue=name, group="g2")
    await broker.publish("c", name, group="g1", deduplication_id=None if transport_of == "standard" else "one")
    await until(lambda: len(got) == 3)
    await broker.stop()
    assert sorted(got, key=lambda one: one[0]) == [(b"a", "g1", "1"), (b"b", "g2", None), (b"c", "g1", None)]


async def test_a_batch_subscriber_settles_one_by_one(backend: Backend, queue: str) -> None:
    url = await backend.create(queue)
    await backend.fill(url, 20)
    sizes: list[int] = []
    again: list[bytes] = []

    async def handle(batch: SQSBatchMessage) -> None:
        sizes.append(len(batch.messages))
        for message in batch.messages:
            if message.receive_count > 1:
                again.append(message.body)
            elif message.body in (b"3", b"13"):
                await message.nack(0)

    broker = broker_for(backend, queue, handle, batch=True, max_records=5)
    await broker.start()
    await until(lambda: len(again) == 2)
    await broker.stop()
    assert sorted(again) == [b"13", b"3"]
    assert sum(sizes) == 22
    assert max(sizes) == 5
    assert await backend.counts(url) == (0, 0)


@pytest.fixture
async def threads(ministack: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Boto3Transport]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    transport = Boto3Transport(region="eu-central-1", endpoint_url=ministack)
    await transport.open("sqs")
    yield transport
    await transport.close()


@pytest.mark.ministack
@pytest.mark.parametrize("late", [True, False], ids=["before it brings anything", "as it brings something"])
async def test_a_poll_in_a_thread_that_is_cut_loses_nothing(aws: AwsJson, threads: Boto3Transport, late: bool) -> None:
    """The poll cannot be interrupted; its messages are visible again once the transport is closed."""
    backend = Backend("ministack", aws, 1.0)
    url = await backend.create(f"q{uuid4().hex[:12]}", VisibilityTimeout="600")
    params = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5}
    poll = asyncio.create_task(threads.call("sqs", "ReceiveMessage", params))
    await asyncio.sleep(0.5)
    if not late:
        await backend.fill(url, 5)
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    if late:
        await backend.fill(url, 5)
    await threads.close()
    assert await backend.counts(url) == (5, 0)
    taken = [message["Attributes"]["ApproximateReceiveCount"] for message in await backend.receive(url)]
    assert "2" in taken, "the poll brought nothing, so this proves nothing"


async def test_a_poll_that_is_cut_while_it_waits_for_a_thread_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Slow:
        async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
            asked.append(params["QueueUrl"])
            await asyncio.sleep(0.2)
            return {}

        async def close(self) -> None: ...

    transport = Boto3Transport(region="eu-central-1", poll_threads=1)
    monkeypatch.setattr(transport, "_polls", Slow())
    polls = [asyncio.create_task(transport.call("sqs", "ReceiveMessage", {"QueueUrl": name})) for name in "ab"]
    await until(lambda: asked == ["a"])
    for poll in polls:
        poll.cancel()
    ends = await asyncio.gather(*polls, return_exceptions=True)
    await transport.close()
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
    assert asked == ["a"]
