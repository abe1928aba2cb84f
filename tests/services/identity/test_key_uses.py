"""The last use of a key: published by any service, in any order, and shown to the key's own organization."""

from typing import Any

import pytest

from contracts.access import KeyUse
from contracts.catalog import load_all
from contracts.event import Event
from contracts.identity import v1 as identity_events
from contracts.tasks import v1 as tasks
from services.identity.memberships.consumers import memberships
from tests.services.identity.conftest import Identity
from tests.services.identity.test_api_keys import KEYS, ask, make, rotate, status

USED = [event for event in load_all().values() if issubclass(event, KeyUse)]


async def use_key(identity: Identity, key_id: str, event: type[Event] = tasks.ApiKeyUsed, **more: Any) -> None:
    use = event.model_validate({"key_id": key_id})
    await identity.service.deliver(memberships, use, actor=key_id, version=0, **more)


async def last_use(identity: Identity, key_id: str) -> str | None:
    shown: dict[str, Any] = (await ask(identity, "GET", f"{KEYS}/{key_id}")).json()
    [listed] = [each for each in (await ask(identity, "GET", KEYS)).json()["items"] if each["id"] == key_id]
    assert listed == shown
    moment: str | None = shown["last_used_at"]
    return moment


@pytest.mark.parametrize("event", USED, ids=lambda event: event.owner())
async def test_every_service_tells_it(identity: Identity, event: type[Event]) -> None:
    key, other = await make(identity), await make(identity)
    await use_key(identity, key["id"], event)
    assert await last_use(identity, key["id"]) == "2026-11-21T09:00:00Z"
    assert await last_use(identity, other["id"]) is None


async def test_what_this_service_tells_comes_back_to_it(identity: Identity) -> None:
    key = await make(identity)
    assert await status(identity, key["key"]) == 200
    [event] = await identity.service.published_events(identity_events.ApiKeyUsed)
    await use_key(identity, event.data["key_id"], identity_events.ApiKeyUsed, org_id=event.orgid)
    assert await last_use(identity, key["id"]) == "2026-11-21T09:00:00Z"


async def test_a_key_that_is_used_at_once_was_not_used_before_it_was_made(identity: Identity) -> None:
    identity.service.clock.advance(microseconds=250_001)
    key = await make(identity)
    await use_key(identity, key["id"])
    assert await last_use(identity, key["id"]) == key["created_at"] == "2026-11-21T09:00:00.250001Z"


async def test_of_uses_in_any_order_the_latest_stays(identity: Identity) -> None:
    key, clock = await make(identity), identity.service.clock
    clock.advance(minutes=20)
    await use_key(identity, key["id"])
    for minutes, expected in ((-10, "09:20"), (-5, "09:20"), (30, "09:35")):
        clock.advance(minutes=minutes)
        await use_key(identity, key["id"])
        assert await last_use(identity, key["id"]) == f"2026-11-21T{expected}:00Z"


async def test_a_use_survives_each_change_of_the_key_and_stands_in_the_way_of_none(identity: Identity) -> None:
    key = await make(identity)
    tag = await _tag(identity, key["id"])
    await use_key(identity, key["id"])
    assert (await _tag(identity, key["id"])).partition("-")[0] == tag.partition("-")[0]
    await rotate(identity, key["id"])
    assert (await ask(identity, "DELETE", f"{KEYS}/{key['id']}")).status_code == 204
    assert await last_use(identity, key["id"]) == "2026-11-21T09:00:00Z"


async def _tag(identity: Identity, key_id: str) -> str:
    return str((await ask(identity, "GET", f"{KEYS}/{key_id}")).headers["ETag"])


async def test_another_organizations_word_is_its_own(identity: Identity) -> None:
    key = await make(identity)
    await use_key(identity, key["id"], org_id="org_other")
    assert await last_use(identity, key["id"]) is None


async def test_each_page_has_its_uses(identity: Identity) -> None:
    made = [(await make(identity))["id"] for _ in range(11)]
    for key_id in made[1::2]:
        await use_key(identity, key_id)
    seen: dict[str, str | None] = {}
    path = f"{KEYS}?limit=3"
    while path:
        page = (await ask(identity, "GET", path)).json()
        seen |= {each["id"]: each["last_used_at"] for each in page["items"]}
        path = f"{KEYS}?limit=3&cursor={page['next']}" if page.get("next") else ""
    assert {key_id for key_id, moment in seen.items() if moment} == set(made[1::2])
    assert set(seen) == set(made)


async def test_a_clock_that_is_ahead_is_not_believed(identity: Identity) -> None:
    key = await make(identity)
    body = {"source": "tenfold.tasks", "detail-type": "tasks.api_key.used.v1"}
    detail = {
        "id": "1",
        "source": "tenfold.tasks",
        "type": "tasks.api_key.used.v1",
        "time": "2031-01-01T00:00:00Z",
        "subject": key["id"],
        "dataschema": tasks.ApiKeyUsed.schema_path(),
        "orgid": "org_acme",
        "actor": key["id"],
        "aggregateversion": 0,
        "correlationid": "1",
        "data": {"key_id": key["id"]},
    }
    await identity.service.deliver_raw(memberships, {**body, "detail": detail})
    assert await last_use(identity, key["id"]) == "2026-11-21T09:00:00Z"
    identity.service.clock.advance(minutes=10)
    await use_key(identity, key["id"])
    assert await last_use(identity, key["id"]) == "2026-11-21T09:10:00Z"
