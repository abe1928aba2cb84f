"""An event moves from v1 to v2: both are published, consumers move one by one, none misses or repeats a fact."""

from typing import Any

import pytest
from pydantic import BaseModel

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected
from chassis.testing.service import ServiceUnderTest
from chassis.work.scope import EventContext
from contracts.common import UserId
from contracts.event import ContractError, Event
from contracts.reads import Reads
from contracts.versions import upcast, upcasts
from tests.chassis.world import service


class BoardOpened1(Event, type="tasks.board.opened.v1", subject="board_id"):
    """A board was opened. Version 1: by one person, given by name."""

    board_id: str
    opened_by: UserId


class BoardOpened2(Event, type="tasks.board.opened.v2", subject="board_id"):
    """A board was opened. Version 2: by several people at once."""

    board_id: str
    openers: list[UserId]


class BoardOpened3(Event, type="tasks.board.opened.v3", subject="board_id"):
    """A board was opened. Version 3: with the number of people."""

    board_id: str
    openers: list[UserId]
    count: int


@upcasts("tasks.board.opened.v1", BoardOpened2)
def to_second(data: dict[str, Any]) -> dict[str, Any]:
    return {"board_id": data["board_id"], "openers": [data["opened_by"]]}


@upcasts("tasks.board.opened.v2", BoardOpened3)
def to_third(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "count": len(data["openers"])}


class Old(Reads[BoardOpened1]):
    opened_by: UserId


class New(Reads[BoardOpened2]):
    openers: list[UserId]


class Newest(Reads[BoardOpened3]):
    count: int


class Consumer:
    """A subscription that reads one version and records its events."""

    def __init__(self, model: Any, mode: Any = "every") -> None:
        self.subscription = Subscription("boards", mode=mode)
        self.got: list[BaseModel] = []
        self.subscription.on(model)(self._keep)

    async def _keep(self, event: Any, ctx: EventContext) -> None:
        self.got.append(event)


FIRST = BoardOpened1(board_id="b1", opened_by="user_ada")
SECOND = BoardOpened2(board_id="b1", openers=["user_ada"])


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def published(world: ServiceUnderTest, event: Event, *older: Event) -> list[dict[str, Any]]:
    unit = world.scope().unit_of_work()
    unit.publish(event, version=1, older=older)
    await unit.commit()
    return [
        {"source": one.source, "detail-type": one.type, "detail": one.model_dump(mode="json", exclude_none=True)}
        for one in await world.published_events()
    ]


async def test_old_and_new_consumers_get_the_fact_once_each(world: ServiceUnderTest) -> None:
    stays, moved = Consumer(Old), Consumer(New)
    bodies = await published(world, SECOND, FIRST)
    assert [body["detail-type"] for body in bodies] == ["tasks.board.opened.v1", "tasks.board.opened.v2"]
    for consumer in (stays, moved):
        for body in bodies:
            if body["detail-type"] in consumer.subscription.pattern["detail-type"]:
                await world.deliver_raw(consumer.subscription, body)
    assert stays.got == [Old(opened_by="user_ada")]
    assert moved.got == [New(openers=["user_ada"])]


async def test_a_new_consumer_reads_the_old_version_of_a_producer_that_is_not_deployed_yet(
    world: ServiceUnderTest,
) -> None:
    moved, far = Consumer(New), Consumer(Newest)
    assert moved.subscription.types == ("tasks.board.opened.v1", "tasks.board.opened.v2")
    [body] = await published(world, FIRST)
    await world.deliver_raw(moved.subscription, body)
    await world.deliver_raw(far.subscription, body)
    assert moved.got == [New(openers=["user_ada"])]
    assert far.got == [Newest(count=1)]


async def test_a_consumer_of_both_versions_gets_each_unchanged(world: ServiceUnderTest) -> None:
    both = Consumer(New)
    both.subscription.on(Old)(both._keep)
    [body] = await published(world, FIRST)
    await world.deliver_raw(both.subscription, body)
    assert both.got == [Old(opened_by="user_ada")]


async def test_an_old_event_that_cannot_become_new_is_rejected_with_the_reason(world: ServiceUnderTest) -> None:
    [body] = await published(world, FIRST)
    del body["detail"]["data"]["opened_by"]
    with pytest.raises(Rejected, match=r"data: tasks\.board\.opened\.v1 cannot be read as a newer version.*opened_by"):
        await world.deliver_raw(Consumer(New).subscription, body)
    body["detail"]["data"]["opened_by"] = "nobody"
    with pytest.raises(Rejected, match=r"data\.openers\.0"):
        await world.deliver_raw(Consumer(New).subscription, body)


def test_only_an_older_version_of_the_same_fact_is_published_beside_it(world: ServiceUnderTest) -> None:
    with pytest.raises(
        ContractError, match=r"no upcaster turns tasks\.board\.opened\.v2 into tasks\.board\.opened\.v1"
    ):
        world.scope().unit_of_work().publish(FIRST, version=1, older=[SECOND])


def test_an_upcaster_leads_to_the_next_version_and_there_is_one() -> None:
    with pytest.raises(ContractError, match="not the next version"):
        upcasts("tasks.board.opened.v1", BoardOpened3)
    with pytest.raises(ContractError, match="not the next version"):
        upcasts("tasks.board.closed.v1", BoardOpened2)
    with pytest.raises(ContractError, match="two upcasters"):
        upcasts("tasks.board.opened.v1", BoardOpened2)
    assert upcast("tasks.board.opened.v3", {}, lambda _: True) is None
