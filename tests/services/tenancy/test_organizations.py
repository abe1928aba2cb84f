from datetime import UTC, datetime

import pytest

from chassis.storage.keys import unique_key
from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import LastOwner, TooManyOwners
from services.tenancy.organizations.model import MAX_OWNERS, Organization
from tests.services.tenancy.world import NO_OVERRIDES, World, email_of, is_problem


async def test_who_creates_an_organization_owns_it(world: World) -> None:
    answer = await world.call("ada", "POST", "/organizations", {"name": " Acme Ltd ", "slug": "acme"})
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "id": body["id"],
        "slug": "acme",
        "name": "Acme Ltd",
        "plan": "free",
        "status": "active",
        "status_reason": None,
        "settings": {"allowed_origins": []},
        "personal": False,
        "owner_id": "user_ada",
        "version": 1,
        "created_at": "2026-11-21T09:00:00Z",
    }
    created, added = await world.events()
    assert (created.type, created.orgid, created.subject, created.aggregateversion) == (
        "tenancy.organization.created.v1",
        body["id"],
        body["id"],
        1,
    )
    assert created.data == {
        "org_id": body["id"],
        "slug": "acme",
        "name": "Acme Ltd",
        "plan": "free",
        "owner_id": "user_ada",
        "personal": False,
        "organization": {
            "slug": "acme",
            "name": "Acme Ltd",
            "plan": "free",
            "status": "active",
            "allowed_origins": [],
        },
    }
    assert (added.type, added.orgid, added.actor, added.aggregateversion) == (
        "tenancy.member.added.v1",
        body["id"],
        "user_ada",
        1,
    )
    person = {"user_id": "user_ada", "email": email_of("ada"), "name": "Ada"}
    assert added.data == {**person, "role": "owner", **NO_OVERRIDES}
    assert (await world.call("ada", "GET", f"/organizations/{body['id']}")).json() == body
    assert await world.members(body["id"]) == {"ada": "owner"}
    assert await world.seats(body["id"]) == 1


async def test_a_slug_is_taken_once_and_a_refusal_leaves_nothing(world: World) -> None:
    await world.organization("ada")
    events = len(await world.events())
    again = await world.call("bo", "POST", "/organizations", {"name": "Acme", "slug": "acme"})
    assert is_problem(again, 409, "already-exists", "acme")
    assert (await world.call("bo", "GET", "/organizations")).json()["items"] == []
    assert len(await world.events()) == events


async def test_a_repeated_request_makes_one_organization(world: World) -> None:
    body = {"name": "Acme", "slug": "acme"}
    first = await world.call("ada", "POST", "/organizations", body, key="k")
    again = await world.call("ada", "POST", "/organizations", body, key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert await world.types() == ["organization.created", "member.added"]
    other = await world.call("ada", "POST", "/organizations", {"name": "Other", "slug": "other"}, key="k2")
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("slug", ["ab", "a" * 41, "Acme", "ac me", "acmé", "acme\n", ""])
async def test_what_is_not_a_slug(world: World, slug: str) -> None:
    answer = await world.call("ada", "POST", "/organizations", {"name": "Acme", "slug": slug})
    if slug == "acme\n":  # the space around it is not meant
        assert answer.json()["slug"] == "acme"
    else:
        assert is_problem(answer, 422, "invalid", "body.slug")


@pytest.mark.parametrize(
    "body", [{"slug": "acme"}, {"name": "", "slug": "acme"}, {"name": "A", "slug": "acme", "x": 1}]
)
async def test_a_wrong_body(world: World, body: dict[str, object]) -> None:
    assert is_problem(await world.call("ada", "POST", "/organizations", body), 422, "invalid")


async def test_the_list_has_the_organizations_of_present_memberships(world: World) -> None:
    acme, other = await world.organization("ada"), await world.organization("bo", "other", Plan.FREE)
    await world.join(acme, "bo", Role.MANAGER)
    await world.join(acme, "cy")
    await world.remove(acme, "ada", "cy")
    mine = (await world.call("bo", "GET", "/organizations")).json()["items"]
    assert sorted(mine, key=lambda each: str(each["slug"])) == [
        {"id": acme, "slug": "acme", "name": "Acme", "plan": "starter", "status": "active", "role": "manager"},
        {"id": other, "slug": "other", "name": "Other", "plan": "free", "status": "active", "role": "owner"},
    ]
    assert (await world.call("cy", "GET", "/organizations")).json() == {"items": [], "next": None}


async def test_the_list_comes_in_pages(world: World) -> None:
    for number in range(5):
        await world.organization("ada", f"acme-{number}", Plan.FREE)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await world.call("ada", "GET", f"/organizations?limit=2{cursor}")).json()
        seen += [each["slug"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == [f"acme-{number}" for number in range(5)]


async def test_a_plan_changes_once(world: World) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    path = f"/organizations/{org_id}/plan"
    changed = await world.call("ada", "PUT", path, {"plan": "starter"})
    assert (changed.json()["plan"], changed.json()["version"]) == ("starter", 2)
    same = await world.call("ada", "PUT", path, {"plan": "starter"})
    assert (same.status_code, same.json()) == (200, changed.json())
    [event] = await world.events(tenancy.PlanChanged)
    assert (event.orgid, event.aggregateversion) == (org_id, 2)
    state = {"slug": "acme", "name": "Acme", "plan": "starter", "status": "active", "allowed_origins": []}
    assert event.data == {"org_id": org_id, "previous_plan": "free", "plan": "starter", "organization": state}


async def test_a_plan_does_not_become_smaller_than_what_is_in_use(world: World) -> None:
    org_id = await world.organization(plan=Plan.STARTER)
    await world.join(org_id, "bo")
    await world.invite(org_id, "cy@acme.example")
    fourth = (await world.invite(org_id, "di@acme.example")).json()["id"]
    path = f"/organizations/{org_id}/plan"
    assert is_problem(await world.call("ada", "PUT", path, {"plan": "free"}), 409, "limit-reached", "3")
    assert len(await world.events(tenancy.PlanChanged)) == 1
    await world.call("ada", "DELETE", f"/organizations/{org_id}/invitations/{fourth}")
    assert (await world.call("ada", "PUT", path, {"plan": "free"})).status_code == 200
    full = await world.invite(org_id, "di@acme.example")
    assert is_problem(full, 409, "limit-reached", "All 3 seats")


async def test_only_an_owner_changes_the_plan(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    answer = await world.call("bo", "PUT", f"/organizations/{org_id}/plan", {"plan": "enterprise"})
    assert is_problem(answer, 403, "forbidden")
    assert answer.json()["operation"] == "tenancy.organization.change_plan"


async def test_the_slug_points_at_its_organization(world: World) -> None:
    org_id = await world.organization()
    item = await world.sut.table.get(unique_key("slug", "acme"))
    assert item is not None
    assert item["org_id"] == org_id


async def test_nobody_comes_in_without_a_token(world: World) -> None:
    answer = await world.call(None, "GET", "/organizations")
    assert is_problem(answer, 401, "unauthenticated")


async def test_what_is_not_an_organizations_id_never_becomes_a_key(world: World) -> None:
    """A `#` in it would name a partition beneath another organization's prefix."""
    org_id = await world.organization()
    for forged in (f"{org_id}%23A", f"{org_id}%23MEMBER%23user_bo", "acme", "org_", "%00"):
        refused = await world.call("bo", "GET", f"/organizations/{forged}")
        assert is_problem(refused, 422, "invalid", "path.org_id"), refused.text


def test_the_last_owner_stays() -> None:
    organization = an_organization("user_ada")
    with pytest.raises(LastOwner):
        organization.without_owner("user_ada")
    assert organization.with_owner("user_bo").without_owner("user_ada").owner_id == "user_bo"


def test_owners_are_bounded() -> None:
    organization = an_organization("user_0")
    for number in range(1, MAX_OWNERS):
        organization = organization.with_owner(f"user_{number}")
    with pytest.raises(TooManyOwners):
        organization.with_owner("user_more")


def an_organization(owner: str) -> Organization:
    return Organization(
        id="org_acme", slug="acme", name="Acme", owners=(owner,), created_at=datetime(2026, 11, 21, tzinfo=UTC)
    )
