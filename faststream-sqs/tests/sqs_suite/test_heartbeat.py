"""The heartbeat: messages that are held stay invisible, and messages that are given back do not."""

import asyncio
from collections.abc import Mapping
from typing import Any

from faststream_sqs import (
    SQSBroker,
    SQSMessage,
    SQSRecord,
)
from faststream_sqs.heartbeat import Heartbeat
from faststream_sqs.schemas import MAX_VISIBILITY

from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until


def broker_on(fake: FakeSQS, **options: Any) -> SQSBroker:
    return SQSBroker(fake, **({"logger": None, "graceful_timeout": 2.0, "poll_grace": 0.05} | options))


def held(handle: str, heartbeat: Heartbeat) -> SQSRecord:
    record = SQSRecord("q", "x", receipt_handle=handle)
    heartbeat.hold(record)
    return record


def test_a_heartbeat_extends_in_time_and_gives_up_after_twelve_hours() -> None:
    clock = {"now": 0.0}
    tired: list[SQSRecord] = []
    heartbeat = Heartbeat(20, lambda: clock["now"], tired.append)
    record = held("r", heartbeat)
    assert heartbeat.due([record]) == []
    clock["now"] = 12.0
    assert heartbeat.due([record]) == [(record, 20)]
    heartbeat.extend(record, 20)
    assert heartbeat.due([record]) == []
    clock["now"] = MAX_VISIBILITY - 5.0
    assert heartbeat.due([record]) == [(record, 5)]
    clock["now"] = MAX_VISIBILITY - 0.5
    assert heartbeat.due([record]) == heartbeat.due([record]) == []
    assert tired == [record]


async def test_running_and_buffered_messages_are_extended_and_nacked_ones_are_not() -> None:
    fake = FakeSQS(visibility=1)
    fake.put(*[str(i) for i in range(12)])
    broker = broker_on(fake)
    release = asyncio.Event()
    runs: list[bytes] = []

    @broker.subscriber("q", raw=True, max_workers=1, wait=1, prefetch=20)
    async def handle(message: SQSMessage) -> None:
        runs.append(message.body)
        await release.wait()

    await broker.start()
    await asyncio.sleep(1.5)
    assert fake.visible() == []
    release.set()
    await until(lambda: not fake.left())
    await broker.stop()
    assert len(runs) == len(set(runs)) == 12


async def test_a_heartbeat_never_overtakes_a_nack() -> None:
    fake = FakeSQS(visibility=2)
    fake.put("x")
    slow = asyncio.Event()
    order: list[int] = []
    original = fake.call

    async def call(service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        if operation == "ChangeMessageVisibilityBatch":
            seconds = params["Entries"][0]["VisibilityTimeout"]
            if seconds == 2:
                slow.set()
                await asyncio.sleep(0.1)
            order.append(seconds)
        return await original(service, operation, params, timeout=timeout)

    fake.call = call  # type: ignore[method-assign]
    broker = broker_on(fake)

    @broker.subscriber("q", raw=True, wait=1)
    async def handle(message: SQSMessage) -> None:
        await slow.wait()
        await message.nack(30)

    await broker.start()
    await until(lambda: 30 in order)
    await broker.stop()
    assert order == [2, 30]
