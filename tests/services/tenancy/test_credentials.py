"""Credentials of other platforms: what comes in is never shown again, and opens for its own organization only."""

from typing import Any

import httpx
import pytest

from chassis.tenants.vault import SecretUnreadable, Vault
from chassis.testing.memory import MemoryTable
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.credentials.model import MAX_CREDENTIALS
from services.tenancy.credentials.repository import CredentialRepository
from services.tenancy.credentials.usecases import PURPOSE
from tests.services.tenancy.world import World, is_problem

SECRET = "planted-hunter2"


async def store(
    world: World, org_id: str, name: str = "jira", secret: str = SECRET, by: str = "ada", key: str | None = None
) -> httpx.Response:
    body = {"name": name, "platform": "Jira", "secret": secret}
    return await world.call(by, "POST", f"/organizations/{org_id}/credentials", body, key=key)


async def replace(world: World, org_id: str, secret: str, name: str = "jira") -> httpx.Response:
    body = {"platform": "Jira Cloud", "secret": secret}
    return await world.call("ada", "PUT", f"/organizations/{org_id}/credentials/{name}", body)


async def list_credentials(world: World, org_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.call("ada", "GET", f"/organizations/{org_id}/credentials")).json()[
        "items"
    ]
    return items


async def open_secret(world: World, org_id: str, name: str = "jira", *, in_org: str | None = None) -> str:
    """The secret, as the service itself reads it (in the scope of another organization, if `in_org` says so)."""
    credential = await CredentialRepository(world.sut.scope(org_id=org_id)).get(name)
    return (await Vault(world.sut.scope(org_id=in_org or org_id), PURPOSE).open(name, credential.sealed)).decode()


async def test_it_is_kept_sealed_and_never_shown(world: World) -> None:
    org_id = await world.organization()
    stored = await store(world, org_id)
    assert (stored.status_code, stored.json()["name"], stored.json()["platform"]) == (201, "jira", "Jira")
    assert [each["name"] for each in await list_credentials(world, org_id)] == ["jira"]
    assert await open_secret(world, org_id) == SECRET
    [event] = await world.events(tenancy.CredentialStored)
    assert (event.orgid, event.subject, event.data) == (org_id, "jira", {"name": "jira", "platform": "Jira"})
    assert isinstance(world.sut.table, MemoryTable)
    events = [each.model_dump(mode="json") for each in await world.events()]
    everything = f"{world.sut.table.items}{events}{stored.text}"
    assert "Jira" in everything
    assert SECRET not in everything


async def test_another_organization_can_neither_ask_for_it_nor_open_it(world: World) -> None:
    org_id, other = await world.organization(), await world.organization("mallory", "wicked")
    await store(world, org_id)
    assert is_problem(await store(world, org_id, by="mallory"), 404, "not-found")
    assert is_problem(await world.call("mallory", "GET", f"/organizations/{org_id}/credentials"), 404, "not-found")
    await store(world, other, by="mallory")
    with pytest.raises(SecretUnreadable):
        await open_secret(world, org_id, in_org=other)


async def test_its_secret_can_be_replaced(world: World) -> None:
    org_id = await world.organization()
    assert is_problem(await replace(world, org_id, "another"), 404, "not-found")
    await store(world, org_id)
    assert is_problem(await store(world, org_id, secret="another"), 409, "already-exists", "jira")
    assert await open_secret(world, org_id) == SECRET
    replaced = await replace(world, org_id, "another")
    assert (replaced.status_code, replaced.json()["version"], replaced.json()["platform"]) == (200, 2, "Jira Cloud")
    assert await open_secret(world, org_id) == "another"
    assert len(await list_credentials(world, org_id)) == 1


async def test_a_repeated_request_stores_once(world: World) -> None:
    org_id = await world.organization()
    first, second = await store(world, org_id, key="k"), await store(world, org_id, key="k")
    assert first.json() == second.json()
    assert len(await world.events(tenancy.CredentialStored)) == 1


async def test_it_can_be_removed(world: World) -> None:
    org_id = await world.organization()
    await store(world, org_id)
    path = f"/organizations/{org_id}/credentials/jira"
    assert (await world.call("ada", "DELETE", path)).status_code == 204
    assert await list_credentials(world, org_id) == []
    assert is_problem(await world.call("ada", "DELETE", path), 404, "not-found")
    [event] = await world.events(tenancy.CredentialRemoved)
    assert event.aggregateversion == 2


async def test_rotation_seals_all_by_a_new_key(world: World) -> None:
    org_id = await world.organization()
    for name in ("jira", "slack"):
        await store(world, org_id, name)
    before = (await CredentialRepository(world.sut.scope(org_id=org_id)).get("jira")).sealed
    rotated = await world.call("ada", "POST", f"/organizations/{org_id}/credentials/rotation")
    assert rotated.json() == {"credentials": 2}
    after = (await CredentialRepository(world.sut.scope(org_id=org_id)).get("jira")).sealed
    assert (before[:2], after[:2]) == ("1.", "2.")
    assert await open_secret(world, org_id) == SECRET
    assert {each.subject for each in await world.events(tenancy.CredentialRotated)} == {"jira", "slack"}


async def test_there_are_only_so_many(world: World) -> None:
    org_id = await world.organization()
    for number in range(MAX_CREDENTIALS):
        assert (await store(world, org_id, f"name{number}")).status_code == 201
    assert is_problem(await store(world, org_id, "one-more"), 409, "limit-reached", str(MAX_CREDENTIALS))
    assert (await replace(world, org_id, "another", "name1")).status_code == 200
    await world.call("ada", "DELETE", f"/organizations/{org_id}/credentials/name1")
    assert (await store(world, org_id, "one-more")).status_code == 201


@pytest.mark.parametrize(
    ("name", "secret"), [("Jira", SECRET), ("-x", SECRET), ("a" * 65, SECRET), ("jira", ""), ("jira", "x" * 20_000)]
)
async def test_bad_input_is_refused_without_repeating_the_secret(world: World, name: str, secret: str) -> None:
    answer = await store(world, await world.organization(), name, secret)
    assert is_problem(answer, 422, "invalid")
    assert SECRET not in answer.text


async def test_managers_have_no_part_in_it(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.MANAGER)
    await world.join(org_id, "cy", Role.ADMIN)
    assert is_problem(await store(world, org_id, by="bo"), 403, "forbidden")
    assert (await store(world, org_id, by="cy")).status_code == 201
    rotation = await world.call("cy", "POST", f"/organizations/{org_id}/credentials/rotation")
    assert is_problem(rotation, 403, "forbidden")
