"""The name and the settings of an organization: who changes them, to what, and the event of it."""

import pytest

from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.organizations.model import MAX_ORIGINS
from tests.services.tenancy.world import World, before_next_write, is_problem

ORIGIN = "https://app.acme.example"


async def test_what_is_named_changes_and_the_rest_stays(world: World) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    path = f"/organizations/{org_id}"
    changed = await world.call("ada", "PATCH", path, {"settings": {"allowed_origins": [ORIGIN]}})
    assert (changed.status_code, changed.json()["name"], changed.json()["version"]) == (200, "Acme", 2)
    assert changed.json()["settings"] == {"allowed_origins": [ORIGIN]}
    renamed = await world.call("ada", "PATCH", path, {"name": " Acme Ltd "})
    assert renamed.json() == {**changed.json(), "name": "Acme Ltd", "version": 3}
    assert (await world.call("ada", "GET", path)).json() == renamed.json()
    cleared = await world.call("ada", "PATCH", path, {"settings": {"allowed_origins": None}})
    assert cleared.json()["settings"] == {"allowed_origins": []}


async def test_the_event_carries_the_whole_state_before_and_after(world: World) -> None:
    org_id = await world.organization()
    await world.call("ada", "PATCH", f"/organizations/{org_id}", {"settings": {"allowed_origins": [ORIGIN]}})
    [event] = await world.events(tenancy.OrganizationChanged)
    before = {"slug": "acme", "name": "Acme", "plan": "starter", "status": "active", "allowed_origins": []}
    assert (event.orgid, event.aggregateversion) == (org_id, 3)
    after = {**before, "allowed_origins": [ORIGIN]}
    assert event.data == {"org_id": org_id, "organization": after, "previous_organization": before}


@pytest.mark.parametrize("body", [{}, {"name": "Acme"}, {"settings": {}}, {"settings": {"allowed_origins": []}}])
async def test_what_changes_nothing_publishes_nothing(world: World, body: dict[str, object]) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    answer = await world.call("ada", "PATCH", f"/organizations/{org_id}", body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert await world.events(tenancy.OrganizationChanged) == []


async def test_two_changes_at_once_are_both_kept(world: World) -> None:
    org_id = await world.organization()
    path = f"/organizations/{org_id}"
    before_next_write(world, lambda: world.call("ada", "PATCH", path, {"name": "Acme Ltd"}))
    answer = await world.call("ada", "PATCH", path, {"settings": {"allowed_origins": [ORIGIN]}})
    assert (answer.json()["name"], answer.json()["settings"]) == ("Acme Ltd", {"allowed_origins": [ORIGIN]})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("HTTPS://App.Acme.example:443", "https://app.acme.example"),
        ("https://app.acme.example:8443", "https://app.acme.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
async def test_origins_are_kept_as_browsers_send_them(world: World, given: str, kept: str) -> None:
    org_id = await world.organization()
    body = {"settings": {"allowed_origins": [given, given]}}
    assert (await world.call("ada", "PATCH", f"/organizations/{org_id}", body)).json()["settings"] == {
        "allowed_origins": [kept]
    }


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "https://",
        "https://*.acme.example",
        "https://acme.example/",
        "https://acme.example/app",
        "https://ada@acme.example",
        "https://acme.example:0",
        "https://acme.example:65536",
        "https://acme.example\nhttps://evil.example",
        "https://bücher.example",
        "http://acme.example",
        "ftp://acme.example",
        "acme.example",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 200 + "example",
    ],
)
async def test_what_is_not_an_origin_is_refused_and_named(world: World, origin: str) -> None:
    org_id = await world.organization()
    body = {"name": "Other", "settings": {"allowed_origins": [ORIGIN, origin]}}
    answer = await world.call("ada", "PATCH", f"/organizations/{org_id}", body)
    assert is_problem(answer, 422, "invalid", "body.settings.allowed_origins.1")
    assert await world.events(tenancy.OrganizationChanged) == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"name": " "},
        {"name": "x" * 101},
        {"slug": "other"},
        {"settings": None},
        {"settings": {"branding": "red"}},
        {"settings": {"allowed_origins": [f"https://a{n}.example" for n in range(MAX_ORIGINS + 1)]}},
    ],
)
async def test_what_is_not_such_a_change_is_refused(world: World, body: dict[str, object]) -> None:
    org_id = await world.organization()
    assert is_problem(await world.call("ada", "PATCH", f"/organizations/{org_id}", body), 422, "invalid")


async def test_an_admin_changes_them_and_a_manager_does_not(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    await world.join(org_id, "cy", Role.MANAGER)
    path, body = f"/organizations/{org_id}", {"name": "Acme Ltd"}
    refused = await world.call("cy", "PATCH", path, body)
    assert is_problem(refused, 403, "forbidden", "tenancy.organization.change")
    assert (await world.call("bo", "PATCH", path, body)).status_code == 200
