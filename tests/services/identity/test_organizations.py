import jwt
import pytest

from chassis.errors import Rejected
from contracts.common import Role
from contracts.identity.v1 import ActiveOrgSwitched
from contracts.tenancy import v1 as tenancy
from services.identity.memberships.consumers import memberships
from tests.services.identity.conftest import EMAIL, Identity


async def me(identity: Identity) -> dict[str, object]:
    answer = await identity.call("GET", "/v1/me", token=await identity.token())
    assert answer.status_code == 200
    body: dict[str, object] = answer.json()
    return body


async def switch(identity: Identity, org_id: str, key: str | None = None) -> tuple[int, dict[str, object]]:
    answer = await identity.call(
        "PUT", "/v1/me/active-organization", {"org_id": org_id}, token=await identity.token(), key=key
    )
    if answer.status_code == 409:
        assert answer.headers["Retry-After"] == "1"
    return answer.status_code, answer.json()


async def test_me_without_an_organization(identity: Identity) -> None:
    user_id = await identity.register()
    assert await me(identity) == {
        "user_id": user_id,
        "email": EMAIL,
        "name": "Ada",
        "active_org_id": None,
        "organizations": [],
    }


async def test_me_in_several_organizations(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_b", Role.OWNER)
    await identity.join(user_id, "org_a", Role.VIEWER)
    shown = await me(identity)
    assert shown["active_org_id"] == "org_a"
    assert shown["organizations"] == [{"org_id": "org_a", "role": "viewer"}, {"org_id": "org_b", "role": "owner"}]


async def test_me_shows_nothing_of_somebody_else(identity: Identity) -> None:
    await identity.register()
    bo = await identity.register("bo@acme.example")
    await identity.join(bo, "org_b")
    assert (await me(identity))["organizations"] == []


async def test_a_token_of_somebody_who_never_registered_finds_nobody(identity: Identity) -> None:
    async with identity.service.client("user_ghost", None, org_id=None) as client:
        assert (await client.get("/v1/me")).status_code == 404
        answer = await client.put("/v1/me/active-organization", json={"org_id": "org_a"})
    assert answer.status_code == 404


async def test_a_switch_is_in_the_next_token(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a")
    await identity.join(user_id, "org_b", Role.ADMIN)
    assert await switch(identity, "org_b") == (200, {"active_org_id": "org_b"})
    assert (await me(identity))["active_org_id"] == "org_b"
    [event] = await identity.service.published_events(ActiveOrgSwitched)
    assert event.data == {"user_id": user_id, "previous_org_id": "org_a", "org_id": "org_b"}
    assert (event.orgid, event.actor, event.aggregateversion) == ("org_b", user_id, 2)


async def test_switching_to_where_one_is_already_changes_nothing_more(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a")
    assert (await switch(identity, "org_a"))[0] == 200
    assert (await switch(identity, "org_a"))[0] == 200
    [event] = await identity.service.published_events(ActiveOrgSwitched)
    assert "previous_org_id" not in event.data


async def test_a_repeated_switch_is_published_once(identity: Identity) -> None:
    user_id = await identity.register()
    for org_id in ("org_a", "org_b"):
        await identity.join(user_id, org_id)
    for org_id, key in (("org_a", "one"), ("org_b", "two"), ("org_a", "one")):
        assert (await switch(identity, org_id, key))[0] == 200
    assert len(await identity.service.published_events(ActiveOrgSwitched)) == 2
    assert (await me(identity))["active_org_id"] == "org_b"


async def test_an_organization_not_seen_yet_is_worth_another_try(identity: Identity) -> None:
    user_id = await identity.register()
    status, problem = await switch(identity, "org_new")
    assert status == 409
    assert str(problem["type"]).endswith("/not-yet")
    await identity.join(user_id, "org_new")
    assert (await switch(identity, "org_new"))[0] == 200
    assert len(await identity.service.published_events(ActiveOrgSwitched)) == 1


async def test_a_removed_member_cannot_switch_back(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a", version=1)
    await identity.leave(user_id, "org_a", version=2)
    assert (await switch(identity, "org_a"))[0] == 409
    assert await identity.service.published_events(ActiveOrgSwitched) == []


async def test_somebody_elses_organization_looks_like_one_not_seen(identity: Identity) -> None:
    await identity.register()
    await identity.join(await identity.register("bo@acme.example"), "org_b")
    theirs, none = await switch(identity, "org_b"), await switch(identity, "org_none")
    assert theirs == none


async def test_a_malformed_organization_is_refused(identity: Identity) -> None:
    await identity.register()
    assert (await switch(identity, "USER#x"))[0] == 422


async def test_a_removed_member_falls_back_to_another_organization(identity: Identity) -> None:
    user_id = await identity.register()
    for org_id in ("org_a", "org_b"):
        await identity.join(user_id, org_id, version=1)
    await switch(identity, "org_b")
    await identity.leave(user_id, "org_b", version=2)
    shown = await me(identity)
    assert (shown["active_org_id"], shown["organizations"]) == ("org_a", [{"org_id": "org_a", "role": "member"}])


async def test_a_member_who_comes_back_is_in_again(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a", version=1)
    await identity.leave(user_id, "org_a", version=2)
    await identity.join(user_id, "org_a", Role.ADMIN, version=3)
    assert (await me(identity))["organizations"] == [{"org_id": "org_a", "role": "admin"}]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
async def test_events_out_of_order_end_in_the_newest_state(identity: Identity, order: tuple[int, ...]) -> None:
    user_id = await identity.register()
    steps = {
        1: lambda: identity.join(user_id, "org_a", Role.VIEWER, version=1),
        2: lambda: identity.change_role(user_id, "org_a", Role.ADMIN, version=2),
        3: lambda: identity.leave(user_id, "org_a", version=3),
    }
    for step in order:
        await steps[step]()
    assert (await me(identity))["organizations"] == []


async def test_a_stale_role_does_not_win(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.change_role(user_id, "org_a", Role.ADMIN, version=2)
    await identity.join(user_id, "org_a", Role.VIEWER, version=1)
    assert (await me(identity))["organizations"] == [{"org_id": "org_a", "role": "admin"}]


async def test_what_a_membership_grants_and_denies_reaches_the_token(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a", version=1)
    overridden = tenancy.MemberPermissionsChanged(
        user_id=user_id,
        email=EMAIL,
        name="Ada",
        role=Role.MEMBER,
        previous_grants=[],
        grants=["tasks.project.create"],
        previous_denies=[],
        denies=["tasks.task.move"],
    )
    await identity.service.deliver(memberships, overridden, org_id="org_a", version=2)
    said = jwt.decode(await identity.token(), options={"verify_signature": False})
    assert (said["mv"], said["grants"], said["denies"]) == (2, ["tasks.project.create"], ["tasks.task.move"])


async def test_a_newer_role_does(identity: Identity) -> None:
    """The control of the test above."""
    user_id = await identity.register()
    await identity.change_role(user_id, "org_a", Role.ADMIN, version=2)
    await identity.change_role(user_id, "org_a", Role.VIEWER, version=3)
    assert (await me(identity))["organizations"] == [{"org_id": "org_a", "role": "viewer"}]


async def test_a_repeated_delivery_changes_nothing(identity: Identity) -> None:
    event = tenancy.MemberAdded(user_id="user_ada", email=EMAIL, name="Ada", role=Role.MEMBER)
    event_id = await identity.service.deliver(memberships, event)
    before = dict(identity.table.items)
    await identity.service.deliver(memberships, event, event_id=event_id, receive_count=2)
    assert identity.table.items == before
    assert {(stored["PK"], stored["SK"]) for stored in before.values()} == {
        ("USER#user_ada#ACCOUNT", "MEMBERSHIP#org_acme"),
        ("ORG#org_acme#MEMBER#user_ada", "A"),
    }


async def test_a_membership_without_a_version_is_rejected(identity: Identity) -> None:
    event = tenancy.MemberAdded(user_id="user_ada", email=EMAIL, name="Ada", role=Role.MEMBER)
    with pytest.raises(Rejected, match="no version"):
        await identity.service.deliver(memberships, event, version=0)
