"""Readiness means that work can be done now; a probe is answered in time, with the reason."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Never

import pytest

from awsjson import AwsError, ConnectionFailed
from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.clock import oldest_id_at
from chassis.declare.resource_names import Names
from chassis.declare.subscription import AnyEvent, Subscription
from chassis.errors import Rejected, Retryable
from chassis.messaging.dispatch import Delivery
from chassis.messaging.worker import MetricsMiddleware
from chassis.runtime.health import PROBE_SECONDS, probes, readiness
from chassis.telemetry.metrics import Meters
from chassis.testing.memory import MemoryTable
from chassis.testing.service import FakeBus, FakeClock, ServiceUnderTest
from chassis.work.outbox import Outbox, OutboxEntry
from chassis.work.scope import EventContext
from tests.chassis.messaging.test_acknowledge import Outcome
from tests.chassis.world import created, service

NAMES = Names("test")


class Calls:
    """Calls to AWS: `broken` operations fail, `hanging` ones never answer."""

    def __init__(self) -> None:
        self.broken: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        self.asked.append((operation, params))
        if operation in self.hanging:
            await asyncio.Event().wait()
        if operation in self.broken:
            raise self.broken[operation]
        return {}


async def reason(calls: Calls) -> str | None:
    under_test = ServiceUnderTest(service, table=DynamoTable(calls, "things"))
    wanted = probes(service, under_test.context, calls, NAMES, [Subscription("members"), Subscription("imports")])
    return await readiness(wanted)


async def test_ready_when_everything_answers() -> None:
    calls = Calls()
    assert await reason(calls) is None
    assert [operation for operation, _ in calls.asked] == ["GetItem", "DescribeEventBus", "GetQueueUrl", "GetQueueUrl"]
    assert calls.asked[2][1] == {"QueueName": "tenfold-test-tasks-members"}


@pytest.mark.parametrize(
    ("operation", "error", "told"),
    [
        ("GetItem", ConnectionFailed("refused"), "the table can't be reached"),
        ("GetItem", AwsError("ResourceNotFoundException", status=400), "the table can't be reached: ResourceNotFound"),
        ("DescribeEventBus", AwsError("AccessDeniedException", status=400), "the bus can't be reached: AccessDenied"),
        ("GetQueueUrl", AwsError("QueueDoesNotExist", status=400), "the queue members can't be reached: QueueDoesNot"),
    ],
)
async def test_a_failing_dependency_is_named(operation: str, error: Exception, told: str) -> None:
    calls = Calls()
    calls.broken = {operation: error}
    assert told in str(await reason(calls))


async def test_hanging_probes_time_out_together() -> None:
    calls = Calls()
    calls.hanging = {"GetItem", "DescribeEventBus", "GetQueueUrl"}
    began = time.monotonic()
    told = str(await reason(calls))
    assert time.monotonic() - began < 2 * PROBE_SECONDS
    assert told.count("does not answer") == 4


async def test_without_aws_a_process_is_alive_and_not_ready(unused_tcp_port: int, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    aws = Aws("us-east-1", f"http://127.0.0.1:{unused_tcp_port}")
    await aws.open()
    try:
        under_test = ServiceUnderTest(service, table=DynamoTable(aws, "things"))
        wanted = probes(service, under_test.context, aws, NAMES)
        async with under_test.client(None, ready=lambda: readiness(wanted)) as http:
            answer = await http.get("/health/ready")
            assert (await http.get("/health/live")).status_code == 200
    finally:
        await aws.close()
    assert answer.status_code == 503
    assert "the table can't be reached" in answer.json()["reason"]
    assert "the bus can't be reached" in answer.json()["reason"]


async def test_liveness_calls_nothing() -> None:
    async def never() -> Never:
        raise AssertionError("liveness asks nobody")

    async with ServiceUnderTest(service).client(None, ready=never) as http:
        assert (await http.get("/health/live")).status_code == 200


@pytest.fixture(scope="session")
def meters() -> Iterator[Meters]:
    """The metrics of this process, of which there is one set; attributes distinguish what a test reads."""
    made = Meters("tasks", None)
    yield made
    made.close()


def points(meters: Meters, name: str, **attributes: str) -> list[dict[str, Any]]:
    found = meters.read().get(name, [])
    return [point for point in found if attributes.items() <= point["attributes"].items()]


async def test_deliveries_are_counted_by_outcome_and_their_queue_time_is_measured(meters: Meters) -> None:
    clock = FakeClock()
    delivery = Delivery(b"{}", "message1", 1, clock.now() - timedelta(seconds=42))
    for error in (None, None, Rejected("no"), Retryable("later"), RuntimeError("a bug")):
        with contextlib.suppress(Exception):
            await MetricsMiddleware(Outcome(error), "tasks.counted", clock).handle(delivery)
    found = points(meters, "tenfold.consumer.deliveries", subscription="tasks.counted")
    assert {point["attributes"]["outcome"]: point["value"] for point in found} == {
        "handled": 2,
        "rejected": 1,
        "again": 1,
        "bug": 1,
    }
    [age] = points(meters, "tenfold.queue.age", subscription="tasks.counted")
    assert age["value"] == 42


async def test_the_lag_of_a_consumer_is_from_the_event_to_its_effect(meters: Meters) -> None:
    under_test, lagging = ServiceUnderTest(service), Subscription("lagging")

    @lagging.on_any
    async def handle(event: AnyEvent, ctx: EventContext) -> None:
        under_test.clock.advance(seconds=7)

    await under_test.deliver(lagging, created())
    [lag] = points(meters, "tenfold.consumer.lag", subscription="tasks.lagging")
    assert (lag["count"], lag["sum"]) == (1, 7)


async def test_the_age_of_the_outbox_is_that_of_its_oldest_event(meters: Meters) -> None:
    clock, table, bus = FakeClock(), MemoryTable(), FakeBus()
    outbox = Outbox(table, bus, clock)
    for age in (5, 90, 30):
        event_id = oldest_id_at(clock.now() - timedelta(seconds=age))
        await table.write([outbox.operation(OutboxEntry(event_id, "tenfold.tasks", "tasks.project.created.v1", "{}"))])
    bus.down = True
    for down, expected in ((True, 90), (False, 90), (False, 0)):
        bus.down = down
        await outbox.sweep()
        [age_point] = points(meters, "tenfold.outbox.age")
        assert age_point["value"] == expected
    [refused] = points(meters, "tenfold.outbox.refused")
    assert refused["value"] >= 3


async def test_requests_are_timed_by_route_and_unknown_paths_make_no_series(meters: Meters) -> None:
    async with ServiceUnderTest(service).client(figures=meters.read) as http:
        for path in ("/v1/projects/proj_1", "/v1/projects/proj_2", "/v1/made-up-1", "/v1/made-up-2"):
            await http.get(path)
        read = (await http.get("/health/metrics")).json()["http.server.request.duration"]
    assert "/v1/projects/{project_id}" in {point["attributes"].get("http.route") for point in read}
    assert "made-up" not in str(read)
    assert "proj_1" not in str(read)
