"""Dispatch of a message to its handler, or its rejection with a reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from chassis.declare.subscription import AnyEvent, ExternalEvent, ExternalSubscription, Subscription
from chassis.errors import AlreadyHandled, DeclarationError, Rejected, Retryable
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.storage.keys import inbox_key
from chassis.testing.service import ServiceUnderTest
from chassis.work.scope import EventContext
from contracts.common import ProjectId
from contracts.reads import Reads
from contracts.tasks import v1 as tasks
from deploy.template.queues import DEAD_LETTER_SECONDS
from tests.chassis.world import created, service


class Created(Reads[tasks.ProjectCreated]):
    project_id: ProjectId
    name: str


class World(ServiceUnderTest):
    """A service with one subscription, whose handler records its arguments and raises on demand."""

    def __init__(self) -> None:
        super().__init__(service)
        self.subscription = Subscription("projects")
        self.got: list[tuple[Created, EventContext]] = []
        self.raises: Exception | None = None
        self.subscription.on(Created)(self._handle)

    async def _handle(self, event: Created, ctx: EventContext) -> None:
        self.got.append((event, ctx))
        if self.raises:
            raise self.raises
        unit = ctx.scope.unit_of_work()
        unit.add(ctx.scope.key("COUNT"), {"n": 1})
        await unit.commit()

    async def handle(self, body: bytes | dict[str, Any], subscription: Any = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        await Dispatcher(self.context, subscription or self.subscription).handle(Delivery(raw, "message", 2))

    async def count(self) -> int:
        item = await self.table.get(self.scope().key("COUNT"))
        return item["n"] if item else 0


@pytest.fixture
def world() -> World:
    return World()


def body(event_type: str = "tasks.project.created.v1", **overrides: Any) -> dict[str, Any]:
    """A message as EventBridge sends it. `overrides` replace members of the envelope; None omits them."""
    source = "tenfold." + event_type.split(".", maxsplit=1)[0]
    detail = {
        "id": "event1",
        "source": source,
        "type": event_type,
        "time": "2026-11-21T08:00:00Z",
        "subject": "proj_1",
        "dataschema": "x",
        "orgid": "org_acme",
        "actor": "user_ada",
        "aggregateversion": 3,
        "correlationid": "request1",
        "causationid": "event0",
        "data": created().model_dump(mode="json"),
        **overrides,
    }
    return {
        "version": "0",
        "source": source,
        "detail-type": event_type,
        "detail": {name: value for name, value in detail.items() if value is not None},
    }


async def test_a_handler_gets_its_subset_model_and_the_organization(world: World) -> None:
    await world.handle(body(clientip="192.0.2.7", useragent="curl"))
    [(event, ctx)] = world.got
    assert event == Created(project_id="proj_1", name="Web")
    assert not hasattr(event, "lead_id")
    assert (ctx.event_id, ctx.event_type, ctx.subject) == ("event1", "tasks.project.created.v1", "proj_1")
    assert (ctx.version, ctx.receive_count, ctx.time) == (3, 2, datetime(2026, 11, 21, 8, tzinfo=UTC))
    scope = ctx.scope
    assert (scope.org_id, scope.actor.id, scope.actor.role) == ("org_acme", "user_ada", None)
    assert (scope.actor.client_ip, scope.actor.user_agent) == ("192.0.2.7", "curl")
    assert (scope.cause.correlation_id, scope.cause.causation_id, ctx.causation_id) == ("request1", "event1", "event0")


async def test_fields_that_a_producer_adds_later_are_ignored(world: World) -> None:
    await world.handle(body(data={**created().model_dump(mode="json"), "colour": "red"}, newextension="x"))
    assert len(world.got) == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an event"),
        (b'"text"', "not an event"),
        (b"null", "not an event"),
        (b"{}", "not an event"),
        (b'{"detail": "text"}', "not an event"),
        (b'{"detail": {}}', "envelope.id"),
    ],
)
async def test_a_body_that_is_not_an_event_is_rejected(world: World, raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        await world.handle(raw)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"orgid": None}, "envelope.orgid"),
        ({"orgid": "org_acme#TASK"}, "envelope.orgid"),
        ({"orgid": ""}, "envelope.orgid"),
        ({"id": ""}, "envelope.id"),
        ({"id": "x" * 65}, "envelope.id"),
        ({"time": "yesterday"}, "envelope.time"),
        ({"aggregateversion": -1}, "envelope.aggregateversion"),
        ({"specversion": "2.0"}, "envelope.specversion"),
        ({"data": None}, "envelope.data"),
        ({"data": "text"}, "envelope.data"),
        ({"data": {"project_id": "proj_1"}}, "data.name"),
        ({"data": {"project_id": "org_1", "name": "Web"}}, "data.project_id"),
        ({"data": {"project_id": "proj_1", "name": 7}}, "data.name"),
    ],
)
async def test_an_invalid_event_is_rejected_with_the_field(
    world: World, overrides: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        await world.handle(body(**overrides))
    assert rejected.value.detail.startswith(reason)
    assert world.got == []


async def test_an_event_from_another_source_than_its_owner_is_rejected(world: World) -> None:
    outside = body()
    outside["source"] = "tenfold.notify"
    inside = body(source="tenfold.notify")
    both = body(source="tenfold.notify")
    both["source"] = "tenfold.notify"
    renamed = body()
    renamed["detail-type"] = "tasks.project.archived.v1"
    foreign = body("evil.project.created.v1", type="tasks.project.created.v1")
    for forged in (outside, inside, both, renamed, foreign):
        with pytest.raises(Rejected, match="does not come from the service that owns it"):
            await world.handle(forged)
    assert world.got == []


async def test_an_event_without_a_handler_is_rejected(world: World) -> None:
    with pytest.raises(Rejected, match="no handler for tasks"):
        await world.handle(body("tasks.project.archived.v1"))


async def test_a_repeated_event_succeeds_without_a_second_effect(world: World) -> None:
    await world.handle(body())
    await world.handle(body())
    assert (len(world.got), await world.count()) == (2, 1)
    await world.handle(body(id="event2"))
    assert await world.count() == 2


async def test_a_claim_outlives_every_dead_letter(world: World) -> None:
    await world.handle(body())
    claim = await world.table.get(inbox_key("tasks.projects", "event1"))
    assert claim is not None
    assert claim["expires_at"] - world.clock.now().timestamp() >= 2 * DEAD_LETTER_SECONDS


async def test_the_same_event_has_an_effect_for_each_subscription(world: World) -> None:
    other = Subscription("others")
    other.on(Created)(world._handle)
    await world.handle(body())
    await world.handle(body(), other)
    assert await world.count() == 2


@pytest.mark.parametrize("error", [Rejected("never"), Retryable("later"), RuntimeError("a bug")])
async def test_an_error_of_a_handler_is_raised(world: World, error: Exception) -> None:
    world.raises = error
    with pytest.raises(type(error)):
        await world.handle(body())


async def test_a_handler_may_detect_itself_that_its_effect_exists(world: World) -> None:
    world.raises = AlreadyHandled("found it")
    await world.handle(body())


async def test_a_projection_is_not_claimed(world: World) -> None:
    latest = Subscription("latest", mode="latest")
    latest.on(Created)(world._handle)
    await world.handle(body(), latest)
    assert world.got[0][1].scope.cause.claim is None


async def test_a_consumer_of_everything_gets_no_secrets(world: World) -> None:
    got: list[AnyEvent] = []
    trail = Subscription("trail")

    async def keep(event: AnyEvent, ctx: EventContext) -> None:
        got.append(event)

    trail.on_any(keep)
    await world.handle(body("tenancy.invitation.created.v1", data={"email": "a@b.example", "token": "secret"}), trail)
    await world.handle(body("tenancy.invitation.imagined.v1", data={"token": "secret"}), trail)
    assert [event.data for event in got] == [{"email": "a@b.example"}, {}]


class Stored(BaseModel):
    key: str


def stored(raw: dict[str, Any]) -> ExternalEvent:
    if "key" not in raw["detail"]:
        raise Rejected("The event names no key.")
    key = raw["detail"]["key"]
    return ExternalEvent(id=f"bucket/{key}", org_id=key.split("/")[0], data=Stored(key=key))


async def test_an_event_of_aws_goes_through_its_adapter_and_has_one_effect(world: World) -> None:
    got: list[tuple[Stored, EventContext]] = []
    uploads = ExternalSubscription("uploads", source="aws.s3", detail_type="Object Created", detail={}, adapter=stored)
    raw = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"key": "org_acme/photo"}}
    with pytest.raises(DeclarationError, match="uploads has no handler"):
        await world.handle(raw, uploads)

    @uploads.handle
    async def count(event: Stored, ctx: EventContext) -> None:
        got.append((event, ctx))
        unit = ctx.scope.unit_of_work()
        unit.add(ctx.scope.key("COUNT"), {"n": 1})
        await unit.commit()

    await world.handle(raw, uploads)
    await world.handle(raw, uploads)
    event, ctx = got[0]
    assert (event.key, ctx.scope.org_id, ctx.event_type) == ("org_acme/photo", "org_acme", "Object Created")
    assert (len(got), await world.count()) == (2, 1)
    with pytest.raises(Rejected, match="names no key"):
        await world.handle({"detail": {}}, uploads)


async def test_a_handler_runs_in_the_trace_of_the_request_that_caused_its_event(
    world: World, spans: InMemorySpanExporter
) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await world.handle(body(traceparent=traceparent))
    await world.handle(body(traceparent=traceparent))
    first, second = spans.get_finished_spans()
    assert first.name == "process tasks.projects"
    assert f"{first.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert "tenfold.already_handled" not in (first.attributes or {})
    assert (second.attributes or {})["tenfold.already_handled"] is True
