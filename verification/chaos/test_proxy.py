"""Tests of the fault proxy: it passes calls on, and injects only the faults that were set."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from awsjson import AwsError, AwsJson, Config, ConnectionFailed, StaticCredentials, Throttled
from deploy.embedded.ports import HOST
from verification.chaos.faults import Fault, Faults, Rates
from verification.chaos.proxy import FaultProxy

NONE = Rates(refused=0, executed_then_500=0, reset_before=0, reset_after=0, slow=0)
ENTRY = {"Source": "tenfold.tasks", "DetailType": "t", "Detail": json.dumps({"id": "event1"}), "EventBusName": "b"}


class Upstream:
    """An AWS that records the calls that it executes."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[dict[str, str]] = []
        self.may_answer, self.was_polled = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        operation = request.headers.get("X-Amz-Target", request.path).rpartition(".")[2]
        body = json.loads(await request.read() or b"{}")
        self.calls.append((operation, body))
        if operation == "PutEvents":
            entries = [{"EventId": "1"} if "taken" not in e["Detail"] else {} for e in body["Entries"]]
            return web.json_response({"Entries": entries, "FailedEntryCount": 0})
        if operation == "ReceiveMessage":
            self.was_polled.set()
            await self.may_answer.wait()
            return web.json_response({"Messages": self.messages} if len(self.calls) > 1 else {})
        return web.json_response({})


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, str]]:
    fake = Upstream()
    runner = web.ServerRunner(web.Server(fake.handle))
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield fake, f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


class Setup:
    """A proxy, the upstream behind it, and a client in front that tries once."""

    def __init__(self, upstream: Upstream, proxy: FaultProxy, client: AwsJson) -> None:
        self.upstream, self.proxy, self.client = upstream, proxy, client

    def inject(self, **rates: float) -> None:
        self.proxy.faults = Faults(1, replace(NONE, **rates))
        self.proxy.faults.on = True

    async def put(self) -> None:
        await self.client.call("dynamodb", "GetItem", {"TableName": "t", "Key": {"PK": {"S": "a"}}})

    @property
    def executed_calls(self) -> int:
        return len(self.upstream.calls)


@pytest.fixture
async def setup(upstream: tuple[Upstream, str]) -> AsyncIterator[Setup]:
    fake, url = upstream
    proxy = FaultProxy(url, Faults(1, NONE))
    await proxy.start()
    keys = StaticCredentials("test", "test")
    async with AwsJson(
        region="us-east-1", endpoint_url=proxy.url, credentials=keys, config=Config(max_attempts=1)
    ) as client:
        yield Setup(fake, proxy, client)
    await proxy.stop()


async def test_without_faults_everything_passes(setup: Setup) -> None:
    for _ in range(20):
        await setup.put()
    assert setup.executed_calls == 20
    assert not setup.proxy.faults.counted


async def test_a_refused_call_is_not_executed(setup: Setup) -> None:
    setup.inject(refused=1)
    with pytest.raises(AwsError) as refused:
        await setup.put()
    assert (refused.value.status, refused.value.is_retryable, setup.executed_calls) == (503, True, 0)


async def test_a_call_can_be_executed_and_answered_with_500(setup: Setup) -> None:
    setup.inject(executed_then_500=1)
    with pytest.raises(AwsError) as failed:
        await setup.put()
    assert (failed.value.status, setup.executed_calls) == (500, 1)


@pytest.mark.parametrize(("kind", "executed_calls"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_reset_leaves_no_answer(setup: Setup, kind: str, executed_calls: int) -> None:
    setup.inject(**{kind: 1})
    with pytest.raises(ConnectionFailed):
        await setup.put()
    assert setup.executed_calls == executed_calls


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "events", "ssm"])
async def test_a_throttled_call_gets_the_throttling_error_of_its_service(setup: Setup, service: str) -> None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "dynamodb": ("GetItem", {"TableName": "t", "Key": {"PK": {"S": "a"}}}),
        "sqs": ("GetQueueUrl", {"QueueName": "q"}),
        "events": ("PutEvents", {"Entries": [ENTRY]}),
        "ssm": ("GetParameters", {"Names": ["n"]}),
    }
    setup.proxy.faults.throttle(60)
    with pytest.raises(Throttled):  # the first that this seed draws
        await setup.client.call(service, *calls[service])
    assert setup.proxy.faults.counted[Fault.THROTTLED] == 1


async def test_an_outage_affects_the_bus_alone(setup: Setup) -> None:
    setup.proxy.faults.bus_outage(60)
    await setup.put()
    with pytest.raises(AwsError):
        await setup.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    setup.proxy.faults.off()
    await setup.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    assert setup.proxy.published == {"event1": ENTRY["Detail"]}


async def test_what_the_bus_did_not_take_is_not_published(setup: Setup) -> None:
    refused = ENTRY | {"Detail": json.dumps({"id": "event2", "taken": False})}
    await setup.client.call("events", "PutEvents", {"Entries": [ENTRY, refused]})
    assert set(setup.proxy.published) == {"event1"}


async def test_what_was_published_without_an_answer_is_witnessed(setup: Setup) -> None:
    setup.inject(reset_after=1)
    with pytest.raises(ConnectionFailed):
        await setup.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    assert set(setup.proxy.published) == {"event1"}


async def test_a_long_poll_is_passed_on_in_short_ones(setup: Setup) -> None:
    setup.upstream.messages = [{"MessageId": "m"}]
    answer = await setup.client.call("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 10})
    assert answer["Messages"] == [{"MessageId": "m"}]
    assert [call[1]["WaitTimeSeconds"] for call in setup.upstream.calls] == [1, 1]


async def test_a_poll_ends_with_its_caller(setup: Setup) -> None:
    fake = setup.upstream
    fake.may_answer.clear()
    polling = asyncio.create_task(setup.client.call("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 10}))
    await asyncio.wait_for(fake.was_polled.wait(), 10)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    await setup.put()
    fake.may_answer.set()
    for _ in range(5):
        await setup.put()
    assert [operation for operation, _ in fake.calls].count("ReceiveMessage") == 1


def test_a_seed_decides_every_fault() -> None:
    def draw_faults(seed: int) -> list[Fault | None]:
        faults = Faults(seed, Rates())
        faults.on = True
        return [faults.next("PutItem") for _ in range(1000)]

    assert draw_faults(7) == draw_faults(7) != draw_faults(8)
    assert {fault for fault in draw_faults(7) if fault} == {
        Fault.REFUSED,
        Fault.EXECUTED_THEN_500,
        Fault.RESET_BEFORE,
        Fault.RESET_AFTER,
        Fault.SLOW,
    }
    assert 40 < sum(fault is not None for fault in draw_faults(7)) < 80
