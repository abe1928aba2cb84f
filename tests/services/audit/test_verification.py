"""Verification, when somebody writes to the table directly."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.storage.keys import Key
from chassis.testing.service import ACME
from services.audit.chain.usecases.sealing import MAX_RECORDS

HEAD = Key(f"ORG#{ACME}#HEAD#chain")


def block(number: int) -> Key:
    return Key(f"ORG#{ACME}#BLOCK#{number:012d}")


@pytest.fixture
async def ids(audit: Any) -> list[str]:
    """Two blocks of sealed records, in the order of the chain."""
    ids: list[str] = await audit.record(MAX_RECORDS + 10)
    await audit.seal()
    return ids


async def test_an_untouched_chain_is_valid(audit: Any, ids: list[str]) -> None:
    """The control of every test below."""
    outcome = await audit.verify()
    assert outcome.model_dump() == {
        "org_id": ACME,
        "sealed": len(ids),
        "unsealed": 0,
        "valid": True,
        "head": audit.stored(ids[-1])["hash"],
        "broken_at": None,
        "reason": None,
    }


async def test_an_organization_without_records_is_valid(audit: Any) -> None:
    outcome = await audit.verify()
    assert (outcome.valid, outcome.sealed, outcome.unsealed, outcome.head) == (True, 0, 0, None)


async def test_recent_records_are_reported_as_unsealed(audit: Any, ids: list[str]) -> None:
    await audit.record(2)
    outcome = await audit.verify()
    assert (outcome.valid, outcome.sealed, outcome.unsealed) == (True, len(ids), 2)


@pytest.mark.parametrize(
    "change",
    [
        {"data": '{"title":"Nothing happened"}'},
        {"actor": "user_eve"},
        {"at": "2026-11-20T09:00:00.000000Z"},
        {"recorded_at": "2026-11-20T09:00:00.000000Z"},
        {"action": "tasks.task.created.v1"},
        {"resource_kind": "project"},
        {"resource_id": "task_9"},
        {"client_ip": "192.0.2.1"},
        {"user_agent": "curl"},
        {"correlation_id": "other"},
        {"causation_id": "other"},
        {"trace_id": "0" * 32},
        {"org_id": "org_other"},
        {"seq": 8},
        {"hash": "0" * 64},
        {"previous_hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_an_edited_record_is_noticed(audit: Any, ids: list[str], change: dict[str, Any]) -> None:
    audit.stored(ids[6]).update(change)
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 7)
    assert ids[6] in outcome.reason


async def test_a_removed_record_is_noticed(audit: Any, ids: list[str]) -> None:
    del audit.items[Key(f"ORG#{ACME}#RECORD#{ids[6]}")]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 7)
    assert "removed" in outcome.reason


async def test_records_that_changed_places_are_noticed(audit: Any, ids: list[str]) -> None:
    one, other = audit.stored(ids[6]), audit.stored(ids[7])
    for name in ("seq", "hash", "previous_hash"):
        one[name], other[name] = other[name], one[name]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 7)


async def test_links_that_changed_places_are_noticed(audit: Any, ids: list[str]) -> None:
    links = audit.items[block(1)]["links"]
    links[6], links[7] = links[7], links[6]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 1)
    assert "block 1" in outcome.reason


def as_the_next(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"seq": MAX_RECORDS + 11}


def as_a_copy(item: dict[str, Any]) -> dict[str, Any]:
    return item


def with_a_taken_number(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"id": "forged", "data": "{}"}


def without_a_number(item: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in item.items() if k not in {"seq", "hash", "previous_hash"}} | {"id": "forged"}


@pytest.mark.parametrize("forge", [as_the_next, as_a_copy, with_a_taken_number, without_a_number])
async def test_an_inserted_record_is_noticed(
    audit: Any, ids: list[str], forge: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    forged = forge(audit.stored(ids[6])) | {"PK": f"ORG#{ACME}#RECORD#forged"}
    audit.items[Key(forged["PK"])] = forged
    outcome = await audit.verify()
    assert not outcome.valid
    assert "inserted" in outcome.reason


async def test_a_tail_cut_off_with_its_block_is_noticed_by_the_head(audit: Any, ids: list[str]) -> None:
    del audit.items[block(2)]
    for record_id in ids[MAX_RECORDS:]:
        del audit.items[Key(f"ORG#{ACME}#RECORD#{record_id}")]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, MAX_RECORDS + 1)


async def test_a_tail_cut_off_inside_its_block_is_noticed(audit: Any, ids: list[str]) -> None:
    last = audit.items[block(2)]
    removed = last["links"].pop()
    last["hash"] = audit.stored(ids[-2])["hash"]
    del audit.items[Key(f"ORG#{ACME}#RECORD#{removed['record_id']}")]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, len(ids))


async def test_a_head_that_was_set_back_is_noticed(audit: Any, ids: list[str]) -> None:
    first = audit.items[block(1)]
    audit.items[HEAD].update(sealed=MAX_RECORDS, blocks=1, hash=first["hash"])
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, MAX_RECORDS + 1)
    assert "set back" in outcome.reason


async def test_a_head_that_was_removed_is_noticed(audit: Any, ids: list[str]) -> None:
    del audit.items[HEAD]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 1)


async def test_a_removed_block_is_noticed(audit: Any, ids: list[str]) -> None:
    del audit.items[block(1)]
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, 1)


async def test_an_exchanged_block_is_noticed(audit: Any, ids: list[str]) -> None:
    audit.items[block(2)]["previous_hash"] = "f" * 64
    outcome = await audit.verify()
    assert (outcome.valid, outcome.broken_at) == (False, MAX_RECORDS + 1)


async def test_the_lowest_number_of_several_is_reported(audit: Any, ids: list[str]) -> None:
    for at in (30, 10, 20):
        audit.stored(ids[at - 1])["actor"] = "user_eve"
    assert (await audit.verify()).broken_at == 10


async def test_what_is_sealed_during_verification_does_not_seem_broken(audit: Any, ids: list[str]) -> None:
    await audit.record(3)
    sealed: list[bool] = []
    query = audit.table.query

    async def with_a_sealer(pk: str, *within: Any, **index: Any) -> Any:
        if "#RECORDS#" in pk and not sealed:
            sealed.append(True)
            await audit.seal()
        return await query(pk, *within, **index)

    audit.table.query = with_a_sealer
    outcome = await audit.verify()
    assert (outcome.valid, outcome.sealed, outcome.unsealed) == (True, len(ids) + 3, 0)


async def test_a_list_that_lags_behind_the_table_does_not_seem_broken(audit: Any) -> None:
    """DynamoDB's GSIs follow their table after a moment."""
    await audit.record(3)
    before: dict[str, Any] = {}
    query = audit.table.query

    async def lagging(pk: str, *within: Any, **index: Any) -> Any:
        return before.get(pk, []) if "#RECORDS#" in pk else await query(pk, *within, **index)

    for shard in range(4):
        pk = f"ORG#{ACME}#RECORDS#{shard}"
        before[pk] = (await query(pk, index=1))[:1]
    assert any(before.values())
    await audit.seal()
    audit.table.query = lagging
    outcome = await audit.verify()
    assert (outcome.valid, outcome.sealed, outcome.unsealed) == (True, 3, 0)
