"""The outbox loses no committed event on its way to the bus."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis.clock import oldest_id_at
from chassis.errors import TooLarge, Unavailable
from chassis.storage.keys import shard_of
from chassis.testing.memory import MemoryTable
from chassis.testing.service import CountingIds, FakeClock
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import (
    ENTRIES_PER_CALL,
    MEMORY_BOUND,
    REFUSALS_PER_SWEEP,
    SHARDS,
    STUCK_AGE,
    SWEEP_AGE,
    Outbox,
    OutboxEntry,
    check_size,
)
from chassis.work.scope import OrgScope
from contracts.event import MAX_ENTRY_BYTES, Envelope
from tests.chassis.world import Bus, created


class World:
    """A table and a bus; processes that use them come and go."""

    def __init__(self) -> None:
        self.table, self.bus, self.clock, self.ids = MemoryTable(), Bus(), FakeClock(), CountingIds()
        self.outbox = self.process()

    def process(self) -> Outbox:
        """A new process, with nothing in memory."""
        return Outbox(self.table, self.bus, self.clock)

    def entry(self, number: int = 1, *, age: timedelta = timedelta(0), size: int = 0) -> OutboxEntry:
        """An event that was made `age` ago."""
        event_id = oldest_id_at(self.clock.now() - age)[:12] + f"{number:020x}"
        return OutboxEntry(event_id, "tenfold.tasks", "tasks.project.created.v1", json.dumps("x" * size))

    async def commit(self, *entries: OutboxEntry) -> None:
        for entry in entries:
            await self.table.write([self.outbox.operation(entry)])

    @property
    def waiting(self) -> list[str]:
        """Events that are still to be published from the table."""
        return sorted(key.sk for key in self.table.items if key.pk.startswith("OUTBOX#"))


@pytest.fixture
def world() -> World:
    return World()


def scope_on(world: World, outbox: Outbox | None = None) -> OrgScope:
    context = ServiceContext("tasks", world.table, outbox or world.outbox, world.clock, world.ids)
    return OrgScope(context, Actor("user_ada"), Cause("request"), "org_acme")


async def test_entries_handed_over_are_published_and_removed(world: World) -> None:
    entries = [world.entry(number) for number in range(3)]
    await world.commit(*entries)
    assert len(world.waiting) == 3
    world.outbox.hand_over(entries)
    await world.outbox.flush()
    assert world.bus.published == [entry.event_id for entry in entries]
    assert world.waiting == []


async def test_a_running_outbox_publishes_by_itself(world: World) -> None:
    running = asyncio.create_task(world.outbox.run())
    try:
        for start in (0, 30):
            entries = [world.entry(number) for number in range(start, start + 25)]
            await world.commit(*entries)
            world.outbox.hand_over(entries)
            async with asyncio.timeout(5):
                while world.waiting:
                    await asyncio.sleep(0)
    finally:
        running.cancel()
    assert len(set(world.bus.published)) == len(world.bus.published) == 50
    assert max(len(call) for call in world.bus.calls) == ENTRIES_PER_CALL


async def test_a_running_outbox_outlives_a_bus_that_does_not_answer(world: World) -> None:
    running = asyncio.create_task(world.outbox.run())
    try:
        world.bus.raises = Unavailable("no bus")
        lost = world.entry(1, age=timedelta(seconds=10))
        await world.commit(lost)
        world.outbox.hand_over([lost])
        async with asyncio.timeout(5):
            while not world.bus.calls:
                await asyncio.sleep(0)
        world.bus.raises = None
        good = world.entry(2)
        await world.commit(good)
        world.outbox.hand_over([good])
        async with asyncio.timeout(5):
            while good.event_id in world.waiting:
                await asyncio.sleep(0)
    finally:
        running.cancel()
    assert world.waiting == [lost.event_id]
    assert await world.outbox.sweep() == 1


async def test_entries_that_the_bus_refuses_stay_and_are_swept(world: World) -> None:
    entries = [world.entry(number) for number in range(4)]
    await world.commit(*entries)
    refused = entries[1].event_id
    world.bus.refused = {refused}
    world.outbox.hand_over(entries)
    await world.outbox.flush()
    assert world.waiting == [refused]
    world.clock.advance(seconds=10)
    assert await world.outbox.sweep() == 0
    assert world.waiting == [refused]
    world.bus.refused = set()
    assert await world.outbox.sweep() == 1
    assert world.waiting == []


async def test_after_a_crash_between_commit_and_publication_another_process_publishes_the_same(world: World) -> None:
    scope = scope_on(world, world.process())
    unit = scope.unit_of_work()
    event_id = unit.publish(created(), version=1)
    await unit.commit()
    [committed] = [dict(item) for item in world.table.items.values()]
    assert await world.process().sweep() == 1
    assert world.bus.published == [event_id]
    assert world.waiting == []
    assert Envelope.model_validate_json(committed["detail"]).id == event_id


async def test_a_crash_after_publication_publishes_the_same_id_again(world: World) -> None:
    entry = world.entry(age=timedelta(seconds=10))
    await world.commit(entry)
    discard = world.table.discard

    async def dies(keys: Any) -> None:
        raise Unavailable("killed")

    world.table.discard = dies  # type: ignore[method-assign]
    world.outbox.hand_over([entry])
    await world.outbox.flush()
    world.table.discard = discard  # type: ignore[method-assign]
    await world.process().sweep()
    assert world.bus.published == [entry.event_id, entry.event_id]
    assert world.waiting == []


async def test_the_sweeper_ignores_entries_that_their_committer_is_publishing(world: World) -> None:
    young = world.entry(1, age=SWEEP_AGE - timedelta(milliseconds=1))
    old = world.entry(2, age=SWEEP_AGE + timedelta(milliseconds=1))
    await world.commit(young, old)
    assert await world.outbox.sweep() == 1
    assert world.waiting == [young.event_id]
    world.clock.advance(seconds=1)
    assert await world.outbox.sweep() == 1
    assert world.waiting == []


async def test_the_sweeper_takes_everything_of_every_shard(world: World) -> None:
    entries = [world.entry(number, age=timedelta(minutes=5)) for number in range(95)]
    await world.commit(*entries)
    assert await world.outbox.sweep() == 95
    assert sorted(world.bus.published) == sorted(entry.event_id for entry in entries)
    assert max(len(call) for call in world.bus.calls) <= ENTRIES_PER_CALL
    assert await world.outbox.sweep() == 0


def head_of_one_shard(world: World, count: int) -> list[OutboxEntry]:
    """The first entries of one shard, in order, made ten minutes ago."""
    made = (world.entry(number, age=timedelta(minutes=10)) for number in itertools.count())
    return list(itertools.islice((entry for entry in made if shard_of(entry.event_id, SHARDS) == 0), count))


@pytest.mark.parametrize("many", [ENTRIES_PER_CALL, REFUSALS_PER_SWEEP, 3 * REFUSALS_PER_SWEEP])
async def test_entries_that_are_always_refused_do_not_block_later_ones(world: World, many: int) -> None:
    refused = head_of_one_shard(world, many)
    good = [world.entry(number, age=timedelta(minutes=5)) for number in range(40)]
    await world.commit(*refused, *good)
    world.bus.refused = {entry.event_id for entry in refused}
    for _ in range(1 + many // REFUSALS_PER_SWEEP):
        await world.outbox.sweep()
    assert sorted(world.bus.published) == sorted(entry.event_id for entry in good)
    assert world.waiting == [entry.event_id for entry in refused]
    world.bus.refused = set()
    for _ in range(2):
        await world.outbox.sweep()
    assert world.waiting == []


async def test_a_bus_that_refuses_everything_is_not_stormed(world: World) -> None:
    entries = [world.entry(number, age=timedelta(minutes=5)) for number in range(1000)]
    await world.commit(*entries)
    world.bus.refused = {entry.event_id for entry in entries}
    await world.outbox.sweep()
    assert len(world.bus.calls) <= SHARDS * REFUSALS_PER_SWEEP // ENTRIES_PER_CALL


async def test_an_entry_that_is_refused_for_long_is_logged_as_an_error(world: World) -> None:
    fresh, old = (world.entry(1, age=timedelta(seconds=10)), world.entry(2, age=STUCK_AGE))
    await world.commit(fresh, old)
    world.bus.refused = {fresh.event_id, old.event_id}
    with capture_logs() as logs:
        await world.outbox.sweep()
    told = {line["event_id"]: line["log_level"] for line in logs}
    assert told == {fresh.event_id: "warning", old.event_id: "error"}


async def test_a_failing_call_does_not_block_later_entries(world: World) -> None:
    """Such as a call that the bus refuses as a whole."""
    head = head_of_one_shard(world, ENTRIES_PER_CALL)
    good = [world.entry(number, age=timedelta(minutes=5)) for number in range(40)]
    await world.commit(*head, *good)
    put, whole = world.bus.put, {entry.event_id for entry in head}

    async def fails(entries: Sequence[OutboxEntry]) -> list[bool]:
        if whole & {entry.event_id for entry in entries}:
            raise Unavailable("refused as a whole")
        return await put(entries)

    world.bus.put = fails  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(Unavailable):
            await world.outbox.sweep()
    assert sorted(world.bus.published) == sorted(entry.event_id for entry in good)
    world.bus.put = put  # type: ignore[method-assign]
    assert await world.outbox.sweep() == ENTRIES_PER_CALL


async def test_a_sweep_sends_no_more_entries_per_call_than_the_bus_accepts(world: World) -> None:
    entries = [world.entry(number, age=timedelta(minutes=5), size=100_000) for number in range(20)]
    await world.commit(*entries)
    assert await world.outbox.sweep() == 20
    assert max(len(call) for call in world.bus.calls) == 2


async def test_a_sweep_raises_if_the_bus_does_not_answer(world: World) -> None:
    await world.commit(world.entry(age=timedelta(minutes=5)))
    world.bus.raises = Unavailable("no bus")
    with pytest.raises(Unavailable):
        await world.outbox.sweep()
    assert len(world.waiting) == 1


async def test_entries_beyond_the_memory_bound_wait_in_the_table(world: World) -> None:
    entries = [world.entry(number, age=timedelta(minutes=5)) for number in range(MEMORY_BOUND + 20)]
    await world.commit(*entries[-30:])
    world.outbox.hand_over(entries)
    await world.outbox.flush()
    assert len(world.bus.published) == MEMORY_BOUND
    assert len(world.waiting) == 20
    assert await world.outbox.sweep() == 20
    assert world.waiting == []


async def test_one_call_has_no_more_bytes_than_the_bus_accepts(world: World) -> None:
    sizes = [200_000, 50_000, 60_000, 250_000, 10]
    entries = [world.entry(number, size=size) for number, size in enumerate(sizes)]
    world.outbox.hand_over(entries)
    await world.outbox.flush()
    by_id = {entry.event_id: entry.size for entry in entries}
    assert [[by_id[event_id] for event_id in call] for call in world.bus.calls] == [
        [entries[0].size, entries[1].size],
        [entries[2].size],
        [entries[3].size, entries[4].size],
    ]
    assert max(sum(by_id[event_id] for event_id in call) for call in world.bus.calls) <= MAX_ENTRY_BYTES


async def test_the_largest_event_passes_and_one_byte_more_does_not(world: World) -> None:
    room = MAX_ENTRY_BYTES - world.entry(size=0).size
    check_size(world.entry(size=room))
    with pytest.raises(TooLarge, match=str(MAX_ENTRY_BYTES + 1)):
        check_size(world.entry(size=room + 1))


async def test_an_event_that_is_too_large_is_refused_before_anything_is_committed(world: World) -> None:
    scope = scope_on(world)
    unit = scope.unit_of_work()
    unit.add(scope.key("COUNT"), {"n": 1})
    with pytest.raises(TooLarge):
        unit.publish(created(name="ü" * (MAX_ENTRY_BYTES // 2)), version=1)
    assert world.table.items == {}
    assert world.bus.calls == []


async def test_draining_publishes_waiting_entries_and_gives_up_in_time(world: World) -> None:
    entry = world.entry()
    await world.commit(entry)
    world.outbox.hand_over([entry])
    await world.outbox.drain(5)
    assert world.waiting == []

    async def never(entries: Any) -> list[bool]:
        await asyncio.Event().wait()
        return []

    world.bus.put = never  # type: ignore[method-assign]
    world.outbox.hand_over([world.entry(2)])
    async with asyncio.timeout(5):
        await world.outbox.drain(0.01)
