"""A projection is rebuilt beside the live one while events go on, and no event is lost or counted twice."""

import json
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from chassis.declare.projection import Projection
from chassis.storage.table import Item
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from chassis.work.projection_versions import REFRESH_SECONDS, VersionedProjectionTable
from deploy.dead_letters.history import ArchivedEvent, Span, parse_message
from deploy.dead_letters.rebuild import Rebuild, projection_of
from deploy.dead_letters.replay import consumer_of
from deploy.errors import RefusedError, StackError
from services.analytics.figures.consumers import figures
from services.analytics.service import service as analytics
from tests.deploy.dead_letters.test_dead_letters import body

FIGURES = consumer_of("analytics", "figures")
PROJECTION = projection_of(FIGURES)


@dataclass
class Monotonic:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Analytics' table, its live worker, and the archive of what was published."""

    table: MemoryTable = field(default_factory=MemoryTable)
    clock: Monotonic = field(default_factory=Monotonic)
    archived: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live = VersionedProjectionTable(self.table, [PROJECTION], self.clock)
        self.worker = ServiceUnderTest(analytics, table=self.live)
        self.rebuild = Rebuild(
            FIGURES, PROJECTION, self.table, read=self.read, rows=self.rows, since=datetime(2026, 1, 1, tzinfo=UTC)
        )
        self.during: list[str] = []
        """Published and handled by the worker while the history is being read."""

    def read(self, span: Span) -> Generator[ArchivedEvent, None, None]:
        for text in list(self.archived):
            archived = parse_message(json.dumps(json.loads(text) | {"replay-name": "r"}), "r")
            assert archived is not None
            yield archived

    async def rows(self) -> AsyncIterator[Item]:
        for item in list(self.table.items.values()):
            yield item

    async def happens(self, *numbers: int) -> None:
        """Published, archived, and handled by the live worker."""
        for number in numbers:
            self.archived.append(body(number))
            await self.worker.deliver_raw(figures, json.loads(body(number)))

    async def created(self) -> int:
        self.clock.now += REFRESH_SECONDS + 1
        page = await self.worker_page()
        return sum(one["created"] for one in page)

    async def worker_page(self) -> list[Item]:
        pks = [f"ORG#org_acme#PROJECTS#{shard}" for shard in range(2)]
        return [item for pk in pks for item in await self.live.query(pk, index=1)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_generation_is_marked_in_the_keys_of_its_projection_only() -> None:
    of = Projection("analytics.figures", frozenset({"PROJECT", "PROJECTS"}))
    for plain, marked in (
        ("ORG#org_1#PROJECT#p1", "ORG#org_1#PROJECT@2#p1"),
        ("ORG#org_1#PROJECTS#0", "ORG#org_1#PROJECTS@2#0"),
        ("ORG#org_1#PROJECT", "ORG#org_1#PROJECT@2"),
        ("INBOX#analytics.figures#e1", "INBOX#analytics.figures@2#e1"),
    ):
        assert of.at(plain, 0) == plain
        assert of.at(plain, 2) == marked
        assert of.without_generation(marked) == (plain, 2)
        assert of.without_generation(plain) == (plain, 0)
    for other in ("ORG#org_1#MEMBER#u", "INBOX#analytics.members#e", "OUTBOX#1", "USER#PROJECT#PROJECT"):
        assert of.at(other, 2) == other
        assert of.without_generation(other) is None


async def test_a_gap_and_a_wrong_row_are_shown_and_corrected(world: World) -> None:
    await world.happens(1, 2)
    world.archived.append(body(3))  # never reached the consumer
    assert await world.created() == 2
    result = await world.rebuild.build()
    assert (result.events, result.refused) == (3, [])
    (difference,) = await world.rebuild.differences()
    assert difference.live is not None
    assert difference.built is not None
    assert (difference.live["created"], difference.built["created"]) == (2, 3)
    assert await world.created() == 2, "the live one changed before the swap"
    await world.rebuild.swap()
    assert await world.created() == 3


async def test_a_message_on_the_bus_that_is_not_an_event_is_reported_and_skipped(world: World) -> None:
    """It is in the archive for good: every rebuild, and every replay of that time, reads it again."""
    await world.happens(1)
    world.archived += [json.dumps({"id": "odd", "source": "tenfold.tasks", "detail": {"half": 1}}), body(2)]
    result = await world.rebuild.build()
    assert (result.events, result.refused) == (2, ["odd: it is not an event of ours"])


@pytest.mark.parametrize(("last_pass", "counted"), [(True, 6), (False, 5)], ids=["last pass", "without it"])
async def test_what_happens_meanwhile_is_counted_once(world: World, counted: int, *, last_pass: bool) -> None:
    await world.happens(1, 2)
    await world.rebuild.build()
    await world.happens(3)
    await world.rebuild.build()
    await world.happens(4)  # between the pass and the swap
    await world.rebuild.build()
    await world.live.query("ORG#org_acme#PROJECTS#0", index=1)
    await world.rebuild.swap()
    await world.happens(5)  # the worker has not noticed the swap: this goes into the old generation
    world.clock.now += REFRESH_SECONDS + 1
    await world.happens(6)
    if last_pass:
        await world.rebuild.catch_up()
        await world.rebuild.catch_up()
    assert await world.created() == counted
    await world.worker.deliver_raw(figures, json.loads(body(1)))
    assert await world.created() == counted, "a redelivery from before the rebuild counted again"


async def test_two_operators_do_not_swap_twice(world: World) -> None:
    await world.happens(1)
    with pytest.raises(RefusedError, match="nothing is built"):
        await world.rebuild.swap()
    await world.rebuild.build()
    await world.rebuild.swap()
    with pytest.raises(RefusedError, match="nothing is built"):
        await world.rebuild.swap()
    with pytest.raises(RefusedError, match="has not settled"):
        await world.rebuild.build()
    with pytest.raises(RefusedError, match="has not settled"):
        await world.rebuild.drop_others()


async def test_the_old_rows_go_when_the_new_are_complete(world: World) -> None:
    await world.happens(1, 2)
    await world.rebuild.build()
    await world.rebuild.swap()
    await world.rebuild.catch_up()
    assert await world.rebuild.drop_others() > 0
    left = {key.pk for key in world.table.items if PROJECTION.holds(key.pk)}
    assert left
    assert all("@1#" in pk for pk in left)
    assert await world.created() == 2


async def test_a_poisoned_event_is_reported_and_does_not_stop_the_rest(world: World) -> None:
    world.archived += [body(1, status="lost"), body(2)]
    result = await world.rebuild.build()
    assert result.events == 2
    assert len(result.refused) == 1
    assert "event1: data.status" in result.refused[0]


async def test_only_projections_can_be_rebuilt(world: World) -> None:
    with pytest.raises(RefusedError, match=r"audit\.trail is not a projection; of audit these .*: audit\.members"):
        projection_of(consumer_of("audit", "trail"))
    narrow = Projection("analytics.figures", frozenset({"PERSON"}))
    refused = Rebuild(
        FIGURES, narrow, world.table, read=world.read, rows=world.rows, since=datetime(2026, 1, 1, tzinfo=UTC)
    )
    world.archived.append(body(1))
    with pytest.raises(StackError, match="not of its projection"):
        await refused.build()
    assert [key.pk for key in world.table.items] == ["GENERATION#analytics.figures"]
