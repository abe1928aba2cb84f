"""Retries of calls to AWS while it refuses, and their time limits, through the port that every service uses."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from awsjson import AwsJson, DeadlineExceeded, StaticCredentials
from chassis.aws.client import CALLS, Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.errors import Unavailable
from chassis.resilience.breaker import FAILURES
from chassis.resilience.deadline import deadline, left
from chassis.storage.keys import Key
from chassis.storage.table import Absent, Put

KEYS = StaticCredentials("test", "test")
NEEDED = 600
AT_ONCE = 30
THROTTLED = '{"__type": "com.amazonaws#ProvisionedThroughputExceededException", "message": "slower"}'
CONFLICT = (
    '{"__type": "com.amazonaws#TransactionCanceledException", "message": "",'
    ' "CancellationReasons": [{"Code": "TransactionConflict"}]}'
)


@dataclass
class Stub:
    """An AWS that answers by `answer` and counts the calls."""

    answer: Callable[[], Awaitable[web.Response]]
    url: str = ""
    calls: int = 0

    async def handle(self, _: web.Request) -> web.Response:
        self.calls += 1
        return await self.answer()


@asynccontextmanager
async def serve(stub: Stub) -> AsyncIterator[Stub]:
    app = web.Application()
    app.router.add_post("/{path:.*}", stub.handle)
    app.router.add_put("/{path:.*}", stub.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connect(stub: Stub, *, budget: int = CALLS.retry_capacity) -> AsyncIterator[Aws]:
    """The port, connected to the stub, without pauses between the tries."""
    json = AwsJson(
        region="us-east-1",
        endpoint_url=stub.url,
        config=replace(CALLS, retry_capacity=budget),
        credentials=KEYS,
        sleep=lambda _: asyncio.sleep(0),
    )
    aws = Aws("us-east-1", stub.url, json)
    await aws.open()
    try:
        yield aws
    finally:
        await aws.close()


def storm(share: float) -> Callable[[], Awaitable[web.Response]]:
    dice = random.Random(7)

    async def answer() -> web.Response:
        return web.Response(status=400, text=THROTTLED) if dice.random() < share else web.Response(text="{}")

    return answer


async def amplification(share: float, *, budget: int = CALLS.retry_capacity) -> float:
    """Calls that reach the store per call that is needed."""
    async with serve(Stub(storm(share))) as stub, connect(stub, budget=budget) as aws:
        table, slots = DynamoTable(aws, "things"), asyncio.Semaphore(AT_ONCE)

        async def write(number: int) -> None:
            async with slots:
                try:
                    await table.write([Put(Key(f"THING#{number}"), {}, Absent())])
                except Unavailable:
                    return

        await asyncio.gather(*(write(number) for number in range(NEEDED)))
        return stub.calls / NEEDED


async def test_a_storm_of_throttling_is_not_answered_with_a_storm_of_retries() -> None:
    assert await amplification(0.8) <= 2
    assert await amplification(0.05) <= 1.1
    assert await amplification(0.8, budget=10_000_000) > 3, "without a budget it would be: the test can tell"


async def test_a_transaction_conflict_is_retried_in_one_place_only() -> None:
    async def always() -> web.Response:
        return web.Response(status=400, text=CONFLICT)

    async with serve(Stub(always)) as stub, connect(stub) as aws:
        with pytest.raises(Unavailable):
            await DynamoTable(aws, "things").write([Put(Key("THING"), {}, Absent())])
        assert stub.calls == CALLS.max_attempts


async def silence() -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def test_no_call_takes_longer_than_the_deadline_of_its_work() -> None:
    async with serve(Stub(silence)) as stub, connect(stub) as aws:
        table, began = DynamoTable(aws, "things"), time.monotonic()
        with deadline(0.3):
            with pytest.raises(Unavailable):
                await table.get(Key("THING"))
            with pytest.raises(Unavailable, match="too long"):
                await table.get(Key("THING"))
            with pytest.raises(Unavailable, match="too long"):
                await aws.boto3("s3", lambda client: client.list_buckets())
        assert time.monotonic() - began < 4, "of the 5 seconds that a read may take by itself"
        assert stub.calls == 1, "who is too late does not call at all"


async def test_a_thread_that_hangs_is_not_waited_for() -> None:
    async with serve(Stub(silence)) as stub, connect(stub) as aws:
        with deadline(0.2), pytest.raises(Unavailable, match="store of files does not answer in time"):
            await aws.boto3("s3", lambda _: time.sleep(0.5))


async def test_an_external_service_that_does_not_answer_is_left_alone() -> None:
    async with serve(Stub(silence)) as stub, connect(stub) as aws:
        for _ in range(FAILURES):
            with pytest.raises(DeadlineExceeded):
                await aws.call("cognito-idp", "InitiateAuth", {}, timeout=0.02)
        reached = stub.calls
        with pytest.raises(Unavailable, match="identity provider does not answer") as refused:
            await aws.call("cognito-idp", "InitiateAuth", {}, timeout=0.02)
        assert refused.value.retry_after
        assert stub.calls == reached
        with pytest.raises(DeadlineExceeded):
            await aws.call("dynamodb", "GetItem", {"TableName": "t", "Key": {}}, timeout=0.02)


def test_an_inner_deadline_never_outlives_the_outer_one() -> None:
    assert left(5) == 5
    with deadline(2):
        with deadline(60):
            assert left(5) <= 2
        with deadline(1):
            assert left(5) <= 1
        assert 1 < left(5) <= 2
    assert left(5) == 5
