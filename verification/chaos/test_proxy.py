"""The proxy tells the truth, and lies only as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from awsjson import AwsError, AwsJson, Config, ConnectionFailed, StaticCredentials, Throttled
from deploy.local.ports import HOST
from verification.chaos.faults import Fault, Faults, Rates
from verification.chaos.proxy import FaultProxy

NONE = Rates(refused=0, executed_then_500=0, reset_before=0, reset_after=0, slow=0)
ENTRY = {"Source": "tenfold.tasks", "DetailType": "t", "Detail": json.dumps({"id": "event1"}), "EventBusName": "b"}


class Upstream:
    """Notes what is carried out."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[dict[str, str]] = []
        self.held, self.polled = asyncio.Event(), asyncio.Event()
        self.held.set()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        operation = request.headers.get("X-Amz-Target", request.path).rpartition(".")[2]
        body = json.loads(await request.read() or b"{}")
        self.calls.append((operation, body))
        if operation == "PutEvents":
            entries = [{"EventId": "1"} if "taken" not in e["Detail"] else {} for e in body["Entries"]]
            return web.json_response({"Entries": entries, "FailedEntryCount": 0})
        if operation == "ReceiveMessage":
            self.polled.set()
            await self.held.wait()
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


class Placed:
    """A proxy, what is behind it, and a client in front that tries once."""

    def __init__(self, upstream: Upstream, proxy: FaultProxy, client: AwsJson) -> None:
        self.upstream, self.proxy, self.client = upstream, proxy, client

    def lie(self, **rates: float) -> None:
        self.proxy.faults = Faults(1, replace(NONE, **rates))
        self.proxy.faults.on = True

    async def put(self) -> None:
        await self.client.call("dynamodb", "GetItem", {"TableName": "t", "Key": {"PK": {"S": "a"}}})

    @property
    def carried_out(self) -> int:
        return len(self.upstream.calls)


@pytest.fixture
async def placed(upstream: tuple[Upstream, str]) -> AsyncIterator[Placed]:
    fake, url = upstream
    proxy = FaultProxy(url, Faults(1, NONE))
    await proxy.start()
    keys = StaticCredentials("test", "test")
    async with AwsJson(
        region="us-east-1", endpoint_url=proxy.url, credentials=keys, config=Config(max_attempts=1)
    ) as client:
        yield Placed(fake, proxy, client)
    await proxy.stop()


async def test_without_faults_everything_passes(placed: Placed) -> None:
    for _ in range(20):
        await placed.put()
    assert placed.carried_out == 20
    assert not placed.proxy.faults.counted


async def test_a_refused_call_is_not_carried_out(placed: Placed) -> None:
    placed.lie(refused=1)
    with pytest.raises(AwsError) as refused:
        await placed.put()
    assert (refused.value.status, refused.value.is_retryable, placed.carried_out) == (503, True, 0)


async def test_a_call_can_be_carried_out_and_answered_with_500(placed: Placed) -> None:
    placed.lie(executed_then_500=1)
    with pytest.raises(AwsError) as failed:
        await placed.put()
    assert (failed.value.status, placed.carried_out) == (500, 1)


@pytest.mark.parametrize(("kind", "carried_out"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_reset_leaves_no_answer(placed: Placed, kind: str, carried_out: int) -> None:
    placed.lie(**{kind: 1})
    with pytest.raises(ConnectionFailed):
        await placed.put()
    assert placed.carried_out == carried_out


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "events", "ssm"])
async def test_a_throttled_call_says_so_in_its_services_words(placed: Placed, service: str) -> None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "dynamodb": ("GetItem", {"TableName": "t", "Key": {"PK": {"S": "a"}}}),
        "sqs": ("GetQueueUrl", {"QueueName": "q"}),
        "events": ("PutEvents", {"Entries": [ENTRY]}),
        "ssm": ("GetParameters", {"Names": ["n"]}),
    }
    placed.proxy.faults.throttle(60)
    with pytest.raises(Throttled):  # the first that this seed draws
        await placed.client.call(service, *calls[service])
    assert placed.proxy.faults.counted[Fault.THROTTLED] == 1


async def test_an_outage_is_the_buss_alone(placed: Placed) -> None:
    placed.proxy.faults.bus_outage(60)
    await placed.put()
    with pytest.raises(AwsError):
        await placed.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    placed.proxy.faults.off()
    await placed.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    assert placed.proxy.published == {"event1": ENTRY["Detail"]}


async def test_what_the_bus_did_not_take_is_not_published(placed: Placed) -> None:
    refused = ENTRY | {"Detail": json.dumps({"id": "event2", "taken": False})}
    await placed.client.call("events", "PutEvents", {"Entries": [ENTRY, refused]})
    assert set(placed.proxy.published) == {"event1"}


async def test_what_was_published_without_an_answer_is_witnessed(placed: Placed) -> None:
    placed.lie(reset_after=1)
    with pytest.raises(ConnectionFailed):
        await placed.client.call("events", "PutEvents", {"Entries": [ENTRY]})
    assert set(placed.proxy.published) == {"event1"}


async def test_a_long_poll_is_passed_on_in_short_ones(placed: Placed) -> None:
    placed.upstream.messages = [{"MessageId": "m"}]
    answer = await placed.client.call("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 10})
    assert answer["Messages"] == [{"MessageId": "m"}]
    assert [call[1]["WaitTimeSeconds"] for call in placed.upstream.calls] == [1, 1]


async def test_a_poll_ends_with_its_caller(placed: Placed) -> None:
    fake = placed.upstream
    fake.held.clear()
    polling = asyncio.create_task(placed.client.call("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 10}))
    await asyncio.wait_for(fake.polled.wait(), 10)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    await placed.put()
    fake.held.set()
    for _ in range(5):
        await placed.put()
    assert [operation for operation, _ in fake.calls].count("ReceiveMessage") == 1


def test_a_seed_decides_every_fault() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = Faults(seed, Rates())
        faults.on = True
        return [faults.next("PutItem") for _ in range(1000)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert {fault for fault in drawn(7) if fault} == {
        Fault.REFUSED, Fault.EXECUTED_THEN_500, Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.SLOW,
    }  # fmt: skip
    assert 40 < sum(fault is not None for fault in drawn(7)) < 80
