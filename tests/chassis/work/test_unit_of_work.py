"""A unit of work commits state, events and claim together, or nothing."""

from dataclasses import replace
from typing import cast

import pytest

from chassis.errors import (
    AlreadyExists,
    AlreadyHandled,
    Conflict,
    LimitReached,
    NotFound,
    Stale,
    TenfoldError,
    Unavailable,
)
from chassis.storage.keys import Key, inbox_key
from chassis.storage.table import Absent, Anything, AtVersion, Expect, OlderThan
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from chassis.work.context import Actor
from chassis.work.idempotency_claims import IdempotencyClaim
from chassis.work.scope import OrgScope
from contracts.event import ContractError
from contracts.files import v1 as files
from contracts.tasks import v1 as tasks
from tests.chassis.world import created, service

THING = Key("THING")


@pytest.fixture
def tasks_service() -> ServiceUnderTest:
    return ServiceUnderTest(service)


def items(world: ServiceUnderTest) -> dict[Key, dict[str, object]]:
    return cast("MemoryTable", world.table).items


def event_scope(world: ServiceUnderTest, event_id: str = "event1") -> OrgScope:
    """The scope in which a consumer handles an event."""
    scope = world.scope()
    claim = IdempotencyClaim(inbox_key("tasks.members", event_id), 30, is_event=True)
    return replace(scope, cause=replace(scope.cause, causation_id=event_id, claim=claim))


def request_scope(world: ServiceUnderTest) -> OrgScope:
    """The scope of a request with an Idempotency-Key."""
    scope = world.scope()
    return replace(
        scope, cause=replace(scope.cause, claim=IdempotencyClaim(scope.key("IDEMPOTENCY", "k"), 1, is_event=False))
    )


async def test_state_event_and_claim_are_one_transaction(tasks_service: ServiceUnderTest) -> None:
    writes: list[int] = []
    write = tasks_service.table.write

    async def counting(operations: object) -> None:
        writes.append(len(cast("list[object]", operations)))
        await write(cast("list[object]", operations))  # type: ignore[arg-type]

    tasks_service.table.write = counting  # type: ignore[method-assign]
    unit = event_scope(tasks_service).unit_of_work()
    unit.put(THING, {"n": 1}, expect=Absent())
    unit.publish(created(), version=1)
    assert await unit.commit()
    assert writes == [3]


async def test_an_effect_that_is_refused_leaves_no_claim_and_no_event(tasks_service: ServiceUnderTest) -> None:
    scope = event_scope(tasks_service)
    unit = scope.unit_of_work()
    unit.add(scope.key("SEATS"), {"used": 2}, at_most={"used": 1})
    unit.put(THING, {"n": 1}, expect=Absent())
    unit.publish(created(), version=1)
    with pytest.raises(LimitReached):
        await unit.commit()
    assert items(tasks_service) == {}
    assert await tasks_service.published_events() == []


async def test_an_event_has_its_effect_once(tasks_service: ServiceUnderTest) -> None:
    for attempt in range(3):
        unit = event_scope(tasks_service).unit_of_work()
        unit.add(THING, {"count": 1})
        unit.publish(created(), version=1)
        if attempt:
            with pytest.raises(AlreadyHandled):
                await unit.commit()
        else:
            await unit.commit()
    assert items(tasks_service)[THING]["count"] == 1
    assert len(await tasks_service.published_events()) == 1


async def test_another_event_has_an_effect_of_its_own(tasks_service: ServiceUnderTest) -> None:
    """Control of the test above."""
    for event_id in ("event1", "event2"):
        unit = event_scope(tasks_service, event_id).unit_of_work()
        unit.add(THING, {"count": 1})
        await unit.commit()
    assert items(tasks_service)[THING]["count"] == 2


async def test_each_step_of_one_event_has_its_own_claim(tasks_service: ServiceUnderTest) -> None:
    scope = event_scope(tasks_service)
    for step in ("one", "two"):
        unit = scope.unit_of_work(step=step)
        unit.add(THING, {"count": 1})
        await unit.commit()
    again = scope.unit_of_work(step="one")
    again.add(THING, {"count": 1})
    with pytest.raises(AlreadyHandled):
        await again.commit()
    assert items(tasks_service)[THING]["count"] == 2


async def test_an_unclaimed_unit_may_be_repeated(tasks_service: ServiceUnderTest) -> None:
    scope = event_scope(tasks_service)
    for _ in range(2):
        unit = scope.unit_of_work(claimed=False)
        unit.add(THING, {"count": 1})
        await unit.commit()
    assert items(tasks_service)[THING]["count"] == 2


async def test_a_claim_outlives_a_dead_letter_queue(tasks_service: ServiceUnderTest) -> None:
    await event_scope(tasks_service).unit_of_work().commit()
    [claim] = items(tasks_service).values()
    days = (cast("int", claim["expires_at"]) - tasks_service.clock.now().timestamp()) / 86400
    assert days == 30


async def test_a_repeated_request_is_already_done(tasks_service: ServiceUnderTest) -> None:
    for done in (True, False):
        unit = request_scope(tasks_service).unit_of_work()
        unit.add(THING, {"count": 1})
        assert await unit.commit() is done
    assert items(tasks_service)[THING]["count"] == 1


async def test_another_reason_for_a_refusal_is_reported(tasks_service: ServiceUnderTest) -> None:
    unit = request_scope(tasks_service).unit_of_work()
    unit.require(THING, on_conflict=NotFound("thing"))
    with pytest.raises(NotFound):
        await unit.commit()
    assert items(tasks_service) == {}


@pytest.mark.parametrize(
    ("expect", "error"), [(Absent(), AlreadyExists), (AtVersion(1), Stale), (OlderThan(2), AlreadyHandled)]
)
async def test_a_failed_condition_raises_its_error(
    tasks_service: ServiceUnderTest, expect: Expect, error: type[TenfoldError]
) -> None:
    scope = tasks_service.scope()
    first = scope.unit_of_work()
    first.put(THING, {"version": 2}, expect=Anything())
    await first.commit()
    unit = scope.unit_of_work()
    unit.put(THING, {}, expect=expect)
    with pytest.raises(error):
        await unit.commit()


async def test_the_error_is_that_of_the_first_refused_change(tasks_service: ServiceUnderTest) -> None:
    unit = event_scope(tasks_service).unit_of_work()
    unit.put(Key("FREE"), {}, expect=Absent(), on_conflict=Conflict("not this one"))
    unit.require(Key("A"), on_conflict=NotFound("first"))
    unit.delete(Key("B"), expect=AtVersion(1), on_conflict=NotFound("second"))
    with pytest.raises(NotFound, match="first"):
        await unit.commit()


async def test_an_existing_claim_takes_precedence_over_other_refusals(tasks_service: ServiceUnderTest) -> None:
    """A repeated "create" finds its own result; that is not a conflict."""
    for attempt in range(2):
        unit = event_scope(tasks_service).unit_of_work()
        unit.put(THING, {}, expect=Absent())
        if attempt:
            with pytest.raises(AlreadyHandled):
                await unit.commit()
        else:
            await unit.commit()


async def test_a_unit_that_does_not_reach_the_store_publishes_nothing(tasks_service: ServiceUnderTest) -> None:
    async def down(operations: object) -> None:
        raise Unavailable("no store")

    tasks_service.table.write = down  # type: ignore[method-assign]
    unit = tasks_service.scope().unit_of_work()
    unit.publish(created(), version=1)
    with pytest.raises(Unavailable):
        await unit.commit()
    assert await tasks_service.published_events() == []


async def test_nothing_is_visible_before_the_commit(tasks_service: ServiceUnderTest) -> None:
    unit = tasks_service.scope().unit_of_work()
    unit.put(THING, {}, expect=Absent())
    unit.publish(created(), version=1)
    assert items(tasks_service) == {}
    assert await tasks_service.published_events() == []


async def test_an_event_of_another_service_is_refused(tasks_service: ServiceUnderTest) -> None:
    unit = tasks_service.scope().unit_of_work()
    with pytest.raises(ContractError, match="tasks may not publish files"):
        unit.publish(files.FileProcessed(file_id="file_1", kind="text"), version=1)


async def test_an_event_has_its_origin(tasks_service: ServiceUnderTest) -> None:
    scope = event_scope(tasks_service, "event0")
    scope = replace(scope, actor=Actor("user_ada", client_ip="192.0.2.7", user_agent="curl"))
    unit = scope.unit_of_work()
    event_id = unit.publish(created(), version=4)
    await unit.commit()
    [envelope] = await tasks_service.published_events(tasks.ProjectCreated)
    assert envelope.model_dump(exclude={"time", "data", "traceparent", "dataschema"}) == {
        "specversion": "1.0",
        "id": event_id,
        "source": "tenfold.tasks",
        "type": "tasks.project.created.v1",
        "subject": "proj_1",
        "datacontenttype": "application/json",
        "orgid": "org_acme",
        "actor": "user_ada",
        "aggregateversion": 4,
        "correlationid": scope.cause.correlation_id,
        "causationid": "event0",
        "successor": None,
        "clientip": "192.0.2.7",
        "useragent": "curl",
    }
    assert envelope.data == created().model_dump(mode="json")
    assert envelope.time == tasks_service.clock.now()


async def test_items_are_in_their_lists_and_expire(tasks_service: ServiceUnderTest) -> None:
    scope = tasks_service.scope()
    unit = scope.unit_of_work()
    unit.put(scope.key("A", "1"), {}, expect=Absent(), lists=[scope.entry(1, "LIST", "s")], expires_at=99)
    unit.add(scope.key("B", "1"), {"n": 1}, set_attributes={"name": "b"}, lists=[scope.entry(2, "LIST", "s")])
    await unit.commit()
    assert [item["expires_at"] for item in await scope.table.query("ORG#org_acme#LIST", index=1)] == [99]
    assert [item["name"] for item in await scope.table.query("ORG#org_acme#LIST", index=2)] == ["b"]


async def test_ids_sort_and_a_repeated_request_makes_the_same_external_id(tasks_service: ServiceUnderTest) -> None:
    first, again, other = request_scope(tasks_service), request_scope(tasks_service), tasks_service.scope()
    made = [scope.new_id("proj") for scope in (first, again, other, first)]
    assert made == sorted(set(made))
    assert first.id_of_request("attempt") == again.id_of_request("attempt") != other.id_of_request("attempt")
