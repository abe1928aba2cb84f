"""Sealing: how records get their positions in the chain."""

import asyncio
from typing import Any

import pytest

from chassis.errors import Stale, Unavailable
from chassis.storage.keys import Key
from chassis.storage.table import Put
from chassis.work.context import ServiceContext
from services.audit.chain.model import Head, seal
from services.audit.chain.usecases import sealing
from services.audit.chain.usecases.sealing import MAX_CHARACTERS, MAX_RECORDS, seal_all, split_into_batches
from services.audit.records.model import Record
from services.audit.records.repository import UNSEALED


def record(record_id: str, title: str = "Ship") -> Record:
    return Record.model_validate(
        {
            "id": record_id,
            "org_id": "org_acme",
            "at": "2026-11-21T09:00:00Z",
            "recorded_at": "2026-11-21T09:00:01Z",
            "actor": "user_ada",
            "action": "tasks.task.created.v1",
            "resource_kind": "task",
            "resource_id": "task_1",
            "data": {"title": title, "number": 1},
            "correlation_id": "request1",
        }
    )


async def unsealed(context: ServiceContext) -> int:
    return sum([len(part) async for part in UNSEALED.parts(context.table)])


async def test_sealing_links_each_record_to_the_one_before(audit: Any) -> None:
    ids = await audit.record(3)
    assert {item.get("seq") for item in audit.records()} == {None}
    await audit.seal()
    sealed = [audit.stored(record_id) for record_id in ids]
    assert [item["seq"] for item in sealed] == [1, 2, 3]
    assert sealed[0]["previous_hash"] == "0" * 64
    assert [item["previous_hash"] for item in sealed[1:]] == [item["hash"] for item in sealed[:2]]
    assert len({item["hash"] for item in sealed}) == 3
    assert await unsealed(audit.context) == 0


async def test_sealing_again_changes_nothing(audit: Any) -> None:
    await audit.record(3)
    await audit.seal()
    before = dict(audit.items)
    await audit.seal()
    assert audit.items == before


async def test_a_chain_goes_on_over_blocks_and_runs(audit: Any) -> None:
    await audit.record(2 * MAX_RECORDS + 5)
    await audit.seal()
    await audit.record(3)
    await audit.seal()
    outcome = await audit.verify()
    assert (outcome.sealed, outcome.unsealed, outcome.valid) == (2 * MAX_RECORDS + 8, 0, True)
    assert sum("#BLOCK#" in key.pk for key in audit.items) == 4
    assert sorted(item["seq"] for item in audit.records()) == list(range(1, 2 * MAX_RECORDS + 9))


async def test_more_than_one_part_of_the_work_list_is_sealed_in_one_run(audit: Any) -> None:
    await audit.record(450)
    await audit.seal()
    outcome = await audit.verify()
    assert (outcome.sealed, outcome.unsealed, outcome.valid) == (450, 0, True)


async def test_each_organization_has_a_chain_of_its_own(audit: Any) -> None:
    await audit.record(2, org_id="org_acme")
    await audit.record(3, org_id="org_other")
    await audit.seal()
    acme, other = await audit.verify("org_acme"), await audit.verify("org_other")
    assert (acme.sealed, other.sealed) == (2, 3)
    assert acme.valid
    assert other.valid
    assert acme.head != other.head


async def test_of_two_sealers_at_once_one_wins_and_no_record_is_sealed_twice(audit: Any) -> None:
    await audit.record(3 * MAX_RECORDS)
    await asyncio.gather(*(seal_all(_yielding(audit.context)) for _ in range(3)))
    await audit.seal()
    outcome = await audit.verify()
    assert (outcome.sealed, outcome.unsealed, outcome.valid) == (3 * MAX_RECORDS, 0, True)


async def test_a_sealer_that_read_an_old_head_is_refused_as_a_whole(audit: Any) -> None:
    [first] = await audit.record(1)
    known = Record.model_validate(audit.stored(first))
    await audit.seal()
    before = dict(audit.items)
    with pytest.raises(Stale):
        await sealing.seal(audit.scope(), [known])
    assert audit.items == before


async def test_an_organization_that_cannot_be_sealed_does_not_stop_the_others(audit: Any) -> None:
    await audit.record(1, org_id="org_bad")
    await audit.record(1, org_id="org_good")
    audit.items[Key("ORG#org_bad#HEAD#chain")] = {"id": "chain", "sealed": "many"}
    with pytest.raises(ExceptionGroup):
        await audit.seal()
    assert (await audit.verify("org_good")).sealed == 1


async def test_a_crash_between_two_blocks_is_made_good_by_the_next_run(audit: Any) -> None:
    await audit.record(MAX_RECORDS + 1)
    write, calls = audit.table.write, []

    async def dies_at_the_second(operations: list[Any]) -> None:
        calls.append(operations)
        if len(calls) == 2:
            raise Unavailable("gone")
        await write(operations)

    audit.table.write = dies_at_the_second
    await audit.seal()
    assert (await audit.verify()).unsealed == 1
    audit.table.write = write
    await audit.seal()
    outcome = await audit.verify()
    assert (outcome.sealed, outcome.unsealed, outcome.valid) == (MAX_RECORDS + 1, 0, True)


async def test_an_event_arriving_while_its_neighbours_are_sealed_waits_for_the_next_run(audit: Any) -> None:
    """Recording and sealing touch no common item, so neither ever makes the other fail."""
    await audit.record(2)
    late: list[bool] = []
    write = audit.table.write

    async def with_an_arrival(operations: list[Any]) -> None:
        if not late:
            late.append(True)
            await audit.record(1)
        await write(operations)

    audit.table.write = with_an_arrival
    await audit.seal()
    audit.table.write = write
    assert ((await audit.verify()).sealed, (await audit.verify()).unsealed) == (2, 1)
    await audit.seal()
    assert ((await audit.verify()).sealed, (await audit.verify()).valid) == (3, True)


async def test_two_events_at_once_of_one_organization_write_no_common_item(audit: Any) -> None:
    keys: list[Key] = []
    write = audit.table.write

    async def watching(operations: list[Put]) -> None:
        keys.extend(operation.key for operation in operations)
        await write(operations)

    audit.table.write = watching
    await audit.record(2)
    assert len(keys) == len(set(keys)) == 4


def test_a_block_holds_what_one_transaction_takes() -> None:
    small = [record(f"{number:03}") for number in range(MAX_RECORDS + 1)]
    assert [len(batch) for batch in split_into_batches(small)] == [MAX_RECORDS, 1]
    large = [record(f"{number}", "x" * (MAX_CHARACTERS // 3)) for number in range(5)]
    assert [len(batch) for batch in split_into_batches(large)] == [2, 2, 1]
    huge = [record(f"{number}", "x" * (2 * MAX_CHARACTERS)) for number in range(2)]
    assert [len(batch) for batch in split_into_batches(huge)] == [1, 1]
    assert list(split_into_batches([])) == []


def test_the_hash_of_a_record_stays_what_it_is() -> None:
    """Years later the same record must give the same hash: if this fails, every existing chain would seem broken."""
    head, block, [first, second] = seal(Head(), [record("event1"), record("event2", "Grüße 🙂")])
    assert first.hash == "1bd252870bb05a5768a3670dc544b72f9da52f2cb21358e8e21f15c9555e306e"
    assert second.hash == head.hash == block.hash == "92299510dc5cae03684e580a0600adb491b87790ca3663577881911bd6894866"


def _yielding(context: ServiceContext) -> ServiceContext:
    """The same context on a table whose calls interleave with others', as over a network."""

    class Yielding:
        def __getattr__(self, name: str) -> Any:
            call = getattr(context.table, name)

            async def later(*args: Any, **kwargs: Any) -> Any:
                await asyncio.sleep(0)
                return await call(*args, **kwargs)

            return later

    return ServiceContext(context.service, Yielding(), context.outbox, context.clock, context.ids, context.ports)
