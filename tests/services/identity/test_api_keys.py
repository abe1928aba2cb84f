"""API keys: shown once, valid as long as they should be, and never with more permissions than their holder has."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from chassis.auth.api_key_format import parse_key
from contracts.common import Role
from contracts.identity import v1 as identity_events
from services.identity.api_keys.repository import MAX_KEYS
from tests.services.identity.conftest import Identity

KEYS = "/v1/api-keys"
LIST = "identity.api_key.list"


async def ask(
    identity: Identity, method: str, path: str, body: Any = None, *, role: Role = Role.ADMIN, again: str = ""
) -> httpx.Response:
    async with identity.service.client("user_ada", role) as http:
        return await http.request(method, path, json=body, headers={"Idempotency-Key": again} if again else {})


async def make(identity: Identity, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await ask(identity, "POST", KEYS, {"name": "Robot", "scopes": scopes or [LIST], **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def rotate(identity: Identity, key_id: str, **body: Any) -> dict[str, Any]:
    answer = await ask(identity, "POST", f"{KEYS}/{key_id}/rotate", body)
    assert answer.status_code == 200, answer.text
    rotated: dict[str, Any] = answer.json()
    return rotated


async def status(identity: Identity, key: str, method: str = "GET", path: str = KEYS, body: Any = None) -> int:
    async with identity.service.client(None) as http:
        return (await http.request(method, path, json=body, headers={"X-Api-Key": key})).status_code


async def test_a_key_is_shown_once_and_kept_as_a_digest(identity: Identity) -> None:
    made = await make(identity)
    secret = made["key"].split("_")[3]
    assert made["key"].startswith(made["prefix"])
    listed = await ask(identity, "GET", KEYS)
    [shown] = listed.json()["items"]
    assert shown == {**{name: value for name, value in made.items() if name != "key"}, "last_used_at": None}
    assert (await ask(identity, "GET", f"{KEYS}/{made['id']}")).json() == shown
    [event] = await identity.service.published_events(identity_events.ApiKeyCreated)
    everything = f"{identity.table.items}{event}"
    assert secret not in everything
    assert parse_key(made["key"]).digest in everything


async def test_a_repeated_request_makes_one_key_and_keeps_no_secret(identity: Identity) -> None:
    body = {"name": "Robot", "scopes": [LIST]}
    first = await ask(identity, "POST", KEYS, body, again="one")
    second = await ask(identity, "POST", KEYS, body, again="one")
    assert (first.status_code, second.status_code) == (201, 409)
    assert first.json()["key"].split("_")[3] not in repr(identity.table.items)
    assert len((await ask(identity, "GET", KEYS)).json()["items"]) == 1


async def test_a_new_key_works_at_once_where_it_was_made(identity: Identity) -> None:
    assert await status(identity, (await make(identity))["key"]) == 200


async def test_a_rotated_key_overlaps_as_long_as_wanted(identity: Identity) -> None:
    old = await make(identity)
    new = await rotate(identity, old["id"], overlap_seconds=60)
    assert [await status(identity, each["key"]) for each in (old, new)] == [200, 200]
    identity.service.clock.advance(seconds=60)
    assert [await status(identity, each["key"]) for each in (old, new)] == [401, 200]


async def test_without_an_overlap_the_old_secret_ends_at_once(identity: Identity) -> None:
    old = await make(identity)
    new = await rotate(identity, old["id"])
    assert [await status(identity, each["key"]) for each in (old, new)] == [401, 200]
    [event] = await identity.service.published_events(identity_events.ApiKeyRotated)
    assert len(event.data["secrets"]) == 1


async def test_an_overlap_does_not_outlive_the_old_secrets_own_end(identity: Identity) -> None:
    end = identity.service.clock.now() + timedelta(seconds=10)
    old = await make(identity, expires_at=end.isoformat())
    await rotate(identity, old["id"], overlap_seconds=3600)
    identity.service.clock.advance(seconds=10)
    assert await status(identity, old["key"]) == 401


async def test_a_revoked_key_ends_at_once_with_all_its_secrets(identity: Identity) -> None:
    old = await make(identity)
    new = await rotate(identity, old["id"], overlap_seconds=3600)
    for _ in range(2):
        assert (await ask(identity, "DELETE", f"{KEYS}/{old['id']}")).status_code == 204
    assert [await status(identity, each["key"]) for each in (old, new)] == [401, 401]
    assert len(await identity.service.published_events(identity_events.ApiKeyRevoked)) == 1
    assert (await ask(identity, "POST", f"{KEYS}/{old['id']}/rotate", {})).status_code == 409


async def test_a_key_cannot_make_or_replace_keys(identity: Identity) -> None:
    made = await make(identity, LIST, "identity.api_key.create", "identity.api_key.rotate")
    body = {"name": "Heir", "scopes": [LIST]}
    assert await status(identity, made["key"], "POST", KEYS, body) == 403
    assert await status(identity, made["key"], "POST", f"{KEYS}/{made['id']}/rotate", {}) == 403
    denials = await identity.service.published_events(identity_events.AccessDenied)
    assert [each.data["operation"] for each in denials] == ["identity.api_key.create", "identity.api_key.rotate"]


async def test_a_key_is_good_for_no_more_than_its_holder(identity: Identity) -> None:
    made = await make(identity)
    await identity.join("user_ada", "org_acme", Role.MEMBER, version=2)
    assert await status(identity, made["key"]) == 403
    await identity.leave("user_ada", "org_acme", version=3)
    assert await status(identity, made["key"]) == 401


async def test_nobody_makes_a_key_for_what_they_may_not_do(identity: Identity) -> None:
    body = {"name": "Robot", "scopes": [LIST, "tenancy.organization.change_plan"]}
    refused = await ask(identity, "POST", KEYS, body)
    assert (refused.status_code, refused.json()["operation"]) == (403, "tenancy.organization.change_plan")
    assert (await ask(identity, "POST", KEYS, body, role=Role.OWNER)).status_code == 201


async def test_who_was_demoted_cannot_make_keys_with_an_old_token(identity: Identity) -> None:
    await identity.join("user_ada", "org_acme", Role.MEMBER, version=2)
    answer = await ask(identity, "POST", KEYS, {"name": "Robot", "scopes": [LIST]})
    assert answer.status_code == 403


async def test_there_are_only_so_many(identity: Identity) -> None:
    made = [await make(identity) for _ in range(MAX_KEYS)]
    one_more = {"name": "Robot", "scopes": [LIST]}
    identity.service.clock.advance(minutes=1)
    refused = await ask(identity, "POST", KEYS, one_more)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "limit-reached")
    await ask(identity, "DELETE", f"{KEYS}/{made[0]['id']}")
    assert (await ask(identity, "POST", KEYS, one_more)).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["tasks.*.read"]},
        {"scopes": ["tasks.task.paint"]},
        {"name": ""},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"role": "owner"},
    ],
    ids=str,
)
async def test_bad_input_makes_no_key(identity: Identity, wrong: dict[str, Any]) -> None:
    answer = await ask(identity, "POST", KEYS, {"name": "Robot", "scopes": [LIST], **wrong})
    assert answer.status_code == 422
    assert (await ask(identity, "GET", KEYS)).json()["items"] == []
