"""Admission of programs by their API keys."""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chassis.auth.api_key_format import digest_of, format_key, parse_key, prefix
from chassis.errors import Unauthenticated
from chassis.tenants import members
from chassis.tenants.members import Member, project
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.identity import v1 as identity
from contracts.tasks import v1 as tasks
from tests.chassis.world import service

READ, CREATE = "tasks.project.read", "tasks.project.create"
LIST = "/v1/projects"
SECRET, OTHER_SECRET = "0123456789abcdef" * 4, "fedcba9876543210" * 4


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def ask(
    world: ServiceUnderTest, key: str, method: str = "GET", path: str = LIST, **headers: str
) -> httpx.Response:
    async with world.client(None) as http:
        json = {"name": "Web"} if method == "POST" else None
        return await http.request(method, path, json=json, headers={"X-Api-Key": key, **headers})


def secret(text: str = SECRET, **more: Any) -> identity.ApiKeySecret:
    return identity.ApiKeySecret(digest=digest_of(text), holder_id="user_ada", role=Role.OWNER, **more)


def key_created(*secrets: identity.ApiKeySecret) -> identity.ApiKeyCreated:
    return identity.ApiKeyCreated(key_id="key_1", name="Robot", scopes=[READ], secrets=list(secrets))


def key_rotated(*secrets: identity.ApiKeySecret) -> identity.ApiKeyRotated:
    return identity.ApiKeyRotated(key_id="key_1", name="Robot", scopes=[READ], secrets=list(secrets))


REVOKED = identity.ApiKeyRevoked(key_id="key_1", name="Robot")
OLD, NEW = format_key("org_acme", "key_1", SECRET), format_key("org_acme", "key_1", OTHER_SECRET)


# --- format of keys


def test_a_key_identifies_its_row_and_shows_only_its_prefix() -> None:
    text = format_key("org_acme", "key_7", SECRET)
    assert text.startswith("tfk_acme_7_")
    assert text.startswith(prefix("org_acme", "key_7"))
    found = parse_key(text)
    assert (found.org_id, found.key_id, found.digest) == ("org_acme", "key_7", digest_of(SECRET))
    assert not any(hidden in repr(found) for hidden in (SECRET, found.digest))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tfk_",
        "x" * 10_000,
        OLD[:-1],
        OLD + "0",
        OLD.upper(),
        OLD.replace("tfk", "sk"),
        OLD[:-1] + ("0" if OLD[-1] != "0" else "1"),
        OLD.replace("acme", "acmf"),
        OLD.replace("_1_", "_2_"),
        OLD.replace("acme", "acme#API_KEY"),
        "tfk_acme_1_\u00e9_00000000",
    ],
)
def test_a_text_that_is_not_a_key_is_refused_before_any_read(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse_key(text)


# --- admission


async def test_a_program_has_exactly_the_permissions_of_its_scopes(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    assert (await ask(world, key)).status_code == 200
    refused = await ask(world, key, "POST")
    assert (refused.status_code, refused.json()["operation"]) == (403, CREATE)


async def test_a_program_is_the_actor_and_a_person_is_its_holder(world: ServiceUnderTest) -> None:
    key = await world.add_key(CREATE)
    assert (await ask(world, key, "POST")).status_code == 201
    [event] = await world.published_events(tasks.ProjectCreated)
    assert (event.actor, event.orgid) == ("key_robot", "org_acme")


@pytest.mark.parametrize(("role", "expected"), [(Role.VIEWER, 403), (Role.MEMBER, 201)])
async def test_a_key_never_has_more_permissions_than_its_holder_had_when_it_was_created(
    world: ServiceUnderTest, role: Role, expected: int
) -> None:
    await world.add_member("user_ada", Role.OWNER)
    assert (await ask(world, await world.add_key(CREATE, role=role), "POST")).status_code == expected


async def test_a_key_never_has_more_permissions_than_its_holder_has_now(world: ServiceUnderTest) -> None:
    key = await world.add_key(CREATE, READ)
    await world.add_member("user_ada", Role.VIEWER, version=2)
    assert [(await ask(world, key, "POST")).status_code, (await ask(world, key)).status_code] == [403, 200]


async def test_a_key_of_a_former_member_is_refused_until_it_has_another_holder(world: ServiceUnderTest) -> None:
    await world.deliver(members.subscription, key_created(secret()), version=1)
    gone = Member(id="user_ada", email="a@b.example", name="Ada", role=Role.OWNER, active=False, version=2)
    await project(world.scope(), gone)
    refused = await ask(world, OLD)
    assert (refused.status_code, "has left" in refused.json()["detail"]) == (401, True)
    by_bo = identity.ApiKeySecret(digest=digest_of(OTHER_SECRET), holder_id="user_bo", role=Role.ADMIN)
    await world.deliver(members.subscription, key_rotated(by_bo, secret()), version=2)
    assert ((await ask(world, NEW)).status_code, (await ask(world, OLD)).status_code) == (200, 401)


async def test_a_key_belongs_to_one_organization(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ, CREATE, org_id="org_other")
    assert (await ask(world, key, "POST")).status_code == 201
    [event] = await world.published_events(tasks.ProjectCreated)
    assert event.orgid == "org_other"
    elsewhere = format_key("org_acme", "key_robot", key.split("_")[3])
    assert (await ask(world, elsewhere)).status_code == 401


async def test_unknown_keys_and_wrong_secrets_cannot_be_distinguished(world: ServiceUnderTest) -> None:
    await world.add_key(READ, key_id="key_1")
    wrong, unknown = await ask(world, OLD), await ask(world, format_key("org_acme", "key_2", SECRET))
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


async def test_a_key_and_a_token_together_are_refused(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    async with world.client() as http:
        assert (await http.get(LIST, headers={"X-Api-Key": key})).status_code == 401


async def test_a_program_is_refused_where_a_person_is_needed(world: ServiceUnderTest) -> None:
    assert (await ask(world, await world.add_key(READ), path="/v1/projects/proj_1/later")).status_code == 401


async def test_an_expired_key_is_refused(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ, valid_until=world.clock.now() + timedelta(minutes=5))
    assert (await ask(world, key)).status_code == 200
    world.clock.advance(minutes=5)
    assert (await ask(world, key)).status_code == 401


async def test_the_idempotency_keys_of_a_program_are_its_own(world: ServiceUnderTest) -> None:
    one = await world.add_key(CREATE, key_id="key_one")
    two = await world.add_key(CREATE, key_id="key_two")
    answers = [await ask(world, key, "POST", **{"Idempotency-Key": "same"}) for key in (one, one, two)]
    assert len({answer.json()["id"] for answer in answers}) == 2


# --- identity's events


async def test_a_rotated_key_is_valid_with_both_secrets_while_they_overlap(world: ServiceUnderTest) -> None:
    await world.deliver(members.subscription, key_created(secret()), version=1)
    end = world.clock.now() + timedelta(hours=1)
    await world.deliver(members.subscription, key_rotated(secret(OTHER_SECRET), secret(valid_until=end)), version=2)
    assert [(await ask(world, key)).status_code for key in (OLD, NEW)] == [200, 200]
    world.clock.advance(hours=1)
    assert [(await ask(world, key)).status_code for key in (OLD, NEW)] == [401, 200]


async def test_a_revoked_key_is_refused_even_after_late_events(world: ServiceUnderTest) -> None:
    await world.deliver(members.subscription, REVOKED, version=3)
    await world.deliver(members.subscription, key_rotated(secret(OTHER_SECRET)), version=2)
    await world.deliver(members.subscription, key_created(secret()), version=1)
    assert [(await ask(world, key)).status_code for key in (OLD, NEW)] == [401, 401]


async def test_no_log_line_shows_a_key(world: ServiceUnderTest, logged: list[MutableMapping[str, Any]]) -> None:
    key = await world.add_key(CREATE)
    for text in (key, OLD, "tfk_nonsense"):
        await ask(world, text, "POST")
    assert logged
    assert not any(part in str(logged) for part in (key.split("_")[3], SECRET, "tfk_", digest_of(SECRET)))
