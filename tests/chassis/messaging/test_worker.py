"""The worker on real queues: a subscription in trouble does not affect the others."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from awsjson import AwsJson, StaticCredentials
from chassis.declare.resource_names import Names
from chassis.declare.subscription import AnyEvent, Subscription
from chassis.messaging.worker import make_broker
from chassis.testing.memory import MemoryTable
from chassis.testing.service import CountingIds, FakeBus, FakeClock
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox
from chassis.work.scope import EventContext
from deploy.embedded.emulator import Emulator

pytestmark = pytest.mark.ministack
MESSAGES = 60
SECONDS = 30


@pytest.fixture
async def aws(emulator: Emulator) -> AsyncIterator[AwsJson]:
    keys = StaticCredentials("test", "test")
    async with AwsJson(region="us-east-1", endpoint_url=emulator.endpoint_url, credentials=keys) as client:
        yield client


class Queues:
    """The queues of two subscriptions of one service, each with its dead-letter queue."""

    def __init__(self, aws: AwsJson) -> None:
        self.aws, self.names = aws, Names(f"t{uuid4().hex[:8]}")
        self.urls: dict[str, str] = {}

    async def create(self, subscription: Subscription) -> None:
        for name in (self.names.dead_letters("tasks", subscription.name), self.names.queue("tasks", subscription.name)):
            answer = await self.aws.call("sqs", "CreateQueue", {"QueueName": name})
            self.urls[subscription.name] = answer["QueueUrl"]

    async def waiting(self, subscription: Subscription) -> int:
        """Messages that were not received yet."""
        params = {"QueueUrl": self.urls[subscription.name], "AttributeNames": ["ApproximateNumberOfMessages"]}
        answer = await self.aws.call("sqs", "GetQueueAttributes", params)
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    async def fill(self, subscription: Subscription, count: int, org: str = "org_acme") -> None:
        for start in range(0, count, 10):
            entries = [{"Id": str(at), "MessageBody": body(start + at, org)} for at in range(min(10, count - start))]
            params = {"QueueUrl": self.urls[subscription.name], "Entries": entries}
            await self.aws.call("sqs", "SendMessageBatch", params)


def body(number: int, org: str) -> str:
    source, kind = "tenfold.tasks", "tasks.thing.happened.v1"
    detail = {
        "specversion": "1.0",
        "id": f"{org}{number:032x}",
        "source": source,
        "type": kind,
        "time": "2026-11-21T09:00:00Z",
        "subject": "thing_1",
        "dataschema": "schemas/none.json",
        "orgid": org,
        "actor": "user_ada",
        "aggregateversion": 1,
        "correlationid": "one",
        "data": {},
    }
    return json.dumps({"source": source, "detail-type": kind, "detail": detail})


@pytest.mark.parametrize("trouble", ["hangs", "fails"])
async def test_a_subscription_in_trouble_delays_no_other(aws: AwsJson, trouble: str) -> None:
    sick, sound, queues = Subscription("sick", concurrency=2), Subscription("sound"), Queues(aws)
    tried, handled, done = 0, 0, asyncio.Event()

    @sick.on_any
    async def suffer(event: AnyEvent, ctx: EventContext) -> None:
        nonlocal tried
        tried += 1
        if trouble == "hangs":
            await asyncio.Event().wait()
        raise RuntimeError("a bug")

    @sound.on_any
    async def count(event: AnyEvent, ctx: EventContext) -> None:
        nonlocal handled
        handled += 1
        if handled == MESSAGES:
            done.set()

    for subscription in (sick, sound):
        await queues.create(subscription)
    await queues.fill(sick, 20)
    clock, table = FakeClock(), MemoryTable()
    context = ServiceContext("tasks", table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    broker = make_broker(context, [sick, sound], queues.names, aws, graceful_seconds=0)
    await broker.start()
    try:
        async with asyncio.timeout(SECONDS):
            while tried < 2:
                await asyncio.sleep(0.01)
            await queues.fill(sound, MESSAGES)
            await done.wait()
    finally:
        await broker.stop()
    assert handled == MESSAGES


async def test_organizations_take_turns_among_prefetched_messages(aws: AwsJson) -> None:
    busy, queues, order, all_here = Subscription("busy", concurrency=1), Queues(aws), list[str](), asyncio.Event()

    @busy.on_any
    async def note(event: AnyEvent, ctx: EventContext) -> None:
        await all_here.wait()
        order.append(ctx.scope.org_id)

    await queues.create(busy)
    await queues.fill(busy, 20)
    await queues.fill(busy, 2, org="org_quiet")
    clock, table = FakeClock(), MemoryTable()
    context = ServiceContext("tasks", table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    broker = make_broker(context, [busy], queues.names, aws, graceful_seconds=0)
    await broker.start()
    try:
        async with asyncio.timeout(SECONDS):
            while await queues.waiting(busy):
                await asyncio.sleep(0.05)
            all_here.set()
            while len(order) < 22:
                await asyncio.sleep(0.01)
    finally:
        await broker.stop()
    assert order[:6].count("org_quiet") == 2
