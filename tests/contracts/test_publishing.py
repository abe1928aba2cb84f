"""Events that do not match their contract cannot be published; an unreadable one names the field; no handler reads more
than its subset."""

from typing import Any

import pytest

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected, TooLarge
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from chassis.work.scope import EventContext
from contracts.common import ProjectId
from contracts.event import MAX_ENTRY_BYTES, ContractError, Event
from contracts.files import v1 as files
from contracts.reads import Reads, collecting
from contracts.tasks import v1 as tasks
from tests.chassis.world import created, service


class ReadsProject(Reads[tasks.ProjectCreated]):
    project_id: ProjectId


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


def stored(world: ServiceUnderTest) -> Any:
    assert isinstance(world.table, MemoryTable)
    return world.table.items


def spoiled() -> Event:
    counts = tasks.ImportCompleted(import_id="imp_1", requested_by="user_ada", created=1, failed=0, assigned={})
    counts.assigned["nobody"] = 3
    return counts


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (tasks.ProjectCreated.model_construct(project_id="proj_1", key="K", name="N"), "lead_id"),  # type: ignore[call-arg]
        (created().model_copy(update={"project_id": "task_1"}), "project_id"),
        (created().model_copy(update={"name": 7}), "name"),
        (spoiled(), "assigned"),
    ],
)
async def test_what_does_not_match_its_schema_is_not_written(world: ServiceUnderTest, event: Event, field: str) -> None:
    unit = world.scope().unit_of_work()
    with pytest.raises(ContractError, match=rf"does not match its schema: {field}"):
        unit.publish(event, version=1)
    await unit.commit()
    assert stored(world) == {}


async def test_an_event_of_another_service_is_not_written(world: ServiceUnderTest) -> None:
    unit = world.scope().unit_of_work()
    with pytest.raises(ContractError, match=r"tasks may not publish files\.file\.processed\.v1"):
        unit.publish(files.FileProcessed(file_id="file_1", kind="text"), version=1)
    await unit.commit()
    assert stored(world) == {}


async def test_what_the_bus_would_refuse_is_not_written_and_its_size_is_told(world: ServiceUnderTest) -> None:
    unit = world.scope().unit_of_work()
    with pytest.raises(TooLarge) as refused:
        unit.publish(created(name="ü" * (MAX_ENTRY_BYTES // 2)), version=1)
    size = int(refused.value.detail.split("has ")[1].split(" bytes")[0])
    assert MAX_ENTRY_BYTES < size < MAX_ENTRY_BYTES + 1000
    assert stored(world) == {}


async def test_a_consumer_that_cannot_read_an_event_says_which_field(world: ServiceUnderTest) -> None:
    subscription = Subscription("projects")

    @subscription.on(ReadsProject)
    async def never(event: ReadsProject, ctx: EventContext) -> None:
        raise AssertionError("it was called")

    await world.add_member("user_ada")
    bad = created().model_copy(update={"project_id": "task_1"})
    with pytest.raises(Rejected, match=r"^data\.project_id: "):
        await world.deliver(subscription, bad)


async def test_a_handler_cannot_read_around_its_subset(world: ServiceUnderTest) -> None:
    """The event of a handler, with everything that can be reached from it, lacks the fields outside of its subset."""
    secret = "in the event, but not in the subset"
    subscription = Subscription("projects", mode="latest")
    got: list[Any] = []

    @subscription.on(ReadsProject)
    async def look(event: ReadsProject, ctx: EventContext) -> None:
        got.extend([event, ctx])

    await world.deliver(subscription, created(name=secret))
    event, ctx = got
    assert not hasattr(event, "name")
    assert (event.model_extra, event.model_dump()) == (None, {"project_id": "proj_1"})
    assert secret not in repr(event)
    assert secret not in _everything(ctx)


def _everything(value: object, depth: int = 6) -> str:
    """All that can be reached over attributes, in one text."""
    if depth == 0 or not hasattr(value, "__dict__"):
        return repr(value)
    return repr(value) + "".join(_everything(part, depth - 1) for part in vars(value).values())


def test_a_reader_that_asks_for_too_much_is_refused_or_listed() -> None:
    def plant() -> None:
        type("Wrong", (Reads[tasks.ProjectCreated],), {"__annotations__": {"colour": str}})

    with pytest.raises(ContractError, match="reads 'colour', which tasks"):
        plant()
    with collecting() as found:
        plant()
    assert found == ["Wrong reads 'colour', which tasks.project.created.v1 does not have"]
