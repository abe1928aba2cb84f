"""Searching records and verifying the chain over HTTP."""

from typing import Any

import pytest

from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.audit.records.consumers import trail
from services.audit.records.repository import MAX_READS
from tests.services.audit.conftest import created, moved

RECORDS, VERIFICATION = "/v1/audit/records", "/v1/audit/verification"


async def pages(audit: Any, **params: Any) -> list[dict[str, Any]]:
    """All pages of a search, one after the other."""
    records: list[dict[str, Any]] = []
    async with audit.client() as client:
        while True:
            answer = await client.get(RECORDS, params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            records += page["items"]
            if "next" not in page or page["next"] is None:
                return records
            params["cursor"] = page["next"]


async def test_a_record_shows_old_and_new_values_and_its_seal(audit: Any) -> None:
    event_id = await audit.deliver(trail, moved())
    await audit.seal()
    [shown] = await pages(audit)
    assert shown["id"] == event_id
    assert shown["resource"] == {"kind": "task", "id": "task_1"}
    assert shown["changes"] == {"status": {"old": "open", "new": "done"}}
    assert shown["data"]["title"] == "Ship"
    assert (shown["seq"], shown["previous_hash"], len(shown["hash"])) == (1, "0" * 64, 64)


async def test_the_first_value_of_a_field_is_not_a_change(audit: Any) -> None:
    await audit.deliver(trail, created())
    [shown] = await pages(audit)
    assert shown["changes"] == {}
    assert shown["seq"] is None


async def test_records_come_newest_first_in_pages(audit: Any) -> None:
    ids = await audit.record(25)
    records = await pages(audit, limit=10)
    assert [each["id"] for each in records] == ids[::-1]


async def test_searches_by_actor_action_resource_and_time(audit: Any) -> None:
    first = await audit.deliver(trail, created("task_1"), actor="user_ada")
    audit.clock.advance(minutes=1)
    second = await audit.deliver(trail, moved("task_1"), actor="user_bo")
    audit.clock.advance(minutes=1)
    third = await audit.deliver(trail, moved("task_2"), actor="user_ada")
    searches: list[tuple[dict[str, str], list[str]]] = [
        ({}, [third, second, first]),
        ({"actor": "user_ada"}, [third, first]),
        ({"resource_id": "task_1"}, [second, first]),
        ({"resource_id": "task_1", "resource_kind": "task"}, [second, first]),
        ({"resource_id": "task_1", "resource_kind": "project"}, []),
        ({"action": "tasks.task.status_changed.v1"}, [third, second]),
        ({"actor": "user_ada", "action": "tasks.task.created.v1"}, [first]),
        ({"actor": "user_bo", "resource_id": "task_1"}, [second]),
        ({"actor": "user_bo", "resource_id": "task_2"}, []),
        ({"since": "2026-11-21T09:01:00Z"}, [third, second]),
        ({"until": "2026-11-21T09:01:00Z"}, [first]),
        ({"since": "2026-11-21T10:01:00+01:00", "until": "2026-11-21T09:02:00Z"}, [second]),
        ({"actor": "user_ada", "until": "2026-11-21T09:02:00Z"}, [first]),
        ({"actor": "user_nobody"}, []),
    ]
    for params, expected in searches:
        ids = [each["id"] for each in await pages(audit, **params)]
        assert ids == expected, params


async def test_a_filtered_search_pages_to_the_end_without_repeating(audit: Any) -> None:
    expected = []
    for number in range(30):
        audit.clock.advance(seconds=1)
        event_id = await audit.deliver(trail, (moved if number % 3 else created)())
        if number % 3 == 0:
            expected.append(event_id)
    for limit in (1, 3, 10, 50):
        records = await pages(audit, action="tasks.task.created.v1", limit=limit)
        assert [each["id"] for each in records] == expected[::-1]


async def test_a_search_for_what_is_rare_reads_only_so_much_and_says_where_to_go_on(
    audit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.audit.records.repository.MAX_PAGE", 4)
    oldest = await audit.deliver(trail, created())
    await audit.record(4 * MAX_READS)
    async with audit.client() as client:
        first = (await client.get(RECORDS, params={"action": "tasks.task.created.v1"})).json()
        assert first["items"] == []
        second = await client.get(RECORDS, params={"action": "tasks.task.created.v1", "cursor": first["next"]})
    assert [each["id"] for each in second.json()["items"]] == [oldest]


async def test_another_organizations_records_are_not_shown(audit: Any) -> None:
    await audit.record(2, org_id="org_other")
    await audit.seal()
    for params in ({}, {"actor": "user_ada"}, {"resource_id": "task_1"}, {"action": "tasks.task.status_changed.v1"}):
        assert await pages(audit, **params) == []
    async with audit.client() as client:
        verification = (await client.get(VERIFICATION)).json()
    assert (verification["org_id"], verification["sealed"], verification["unsealed"]) == ("org_acme", 0, 0)


async def test_an_administrator_verifies_their_organizations_chain(audit: Any) -> None:
    await audit.record(3)
    await audit.seal()
    async with audit.client("user_ada", Role.ADMIN) as client:
        good = (await client.get(VERIFICATION)).json()
        audit.records()[1]["actor"] = "user_eve"
        bad = (await client.get(VERIFICATION)).json()
    assert (good["valid"], good["sealed"]) == (True, 3)
    assert (bad["valid"], bad["broken_at"]) == (False, 2)


@pytest.mark.parametrize(("path", "operation"), [(RECORDS, "audit.record.list"), (VERIFICATION, "audit.chain.verify")])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.MANAGER])
async def test_less_than_an_administrator_is_refused(audit: Any, path: str, operation: str, role: Role) -> None:
    async with audit.client("user_bo", role) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["operation"]) == (403, operation)


@pytest.mark.parametrize("path", [RECORDS, VERIFICATION])
async def test_without_a_token_or_an_organization_nothing_is_shown(audit: Any, path: str) -> None:
    async with audit.client(None) as client:
        assert (await client.get(path)).status_code == 401
    async with audit.client(org_id=None) as client:
        assert (await client.get(path)).status_code == 401


async def test_an_administrator_who_was_removed_is_out_with_the_event(audit: Any) -> None:
    removed = tenancy.MemberRemoved(user_id="user_bo", email="bo@acme.example", name="Bo", role=Role.ADMIN)
    async with audit.client("user_bo", Role.ADMIN, mv=1) as client:
        assert (await client.get(RECORDS)).status_code == 200
        await audit.deliver(audit.service.load_subscriptions()[1], removed, version=2)
        assert (await client.get(RECORDS)).status_code == 401


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"since": "yesterday"}, "query.since"),
        ({"since": "2026-11-21T09:00:00"}, "query.since"),
        ({"since": "2026-11-21T09:00:00Z", "until": "2026-11-21T09:00:00Z"}, "query.until"),
        ({"limit": "0"}, "query.limit"),
        ({"limit": "201"}, "query.limit"),
        ({"actor": "x" * 200}, "query.actor"),
    ],
)
async def test_a_search_that_is_not_valid_names_the_field(audit: Any, params: dict[str, str], field: str) -> None:
    async with audit.client() as client:
        answer = await client.get(RECORDS, params=params)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("cursor", ["", "a", "____", "not base64!", "\u00fc"])
async def test_a_cursor_that_is_none_of_ours_is_refused(audit: Any, cursor: str) -> None:
    async with audit.client() as client:
        answer = await client.get(RECORDS, params={"cursor": cursor})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["query.cursor"]
