import pytest

from chassis.storage.keys import inbox_key
from contracts.identity import v1 as identity
from contracts.tenancy import v1 as tenancy
from services.tenancy.onboarding import model
from services.tenancy.onboarding.consumers import users
from tests.services.tenancy.world import NO_OVERRIDES, World, email_of


def registration(user: str = "ada", *, invited: bool = False, name: str = "Ada Byron") -> identity.UserRegistered:
    return identity.UserRegistered(user_id=f"user_{user}", email=email_of(user), name=name, invited=invited)


async def deliver(world: World, event: identity.UserRegistered, event_id: str | None = None) -> str:
    return await world.sut.deliver(users, event, event_id=event_id, org_id="org_system", actor=event.user_id)


async def test_who_registers_gets_a_personal_organization(world: World) -> None:
    event_id = await deliver(world, registration())
    [mine] = (await world.call("ada", "GET", "/organizations")).json()["items"]
    org_id = model.personal_org_id("user_ada")
    assert (mine["id"], mine["name"], mine["plan"], mine["role"]) == (org_id, "Ada Byron's space", "free", "owner")
    assert mine["slug"].startswith("ada-byron-")
    created, added = await world.events()
    assert (created.type, added.type) == ("tenancy.organization.created.v1", "tenancy.member.added.v1")
    for event in (created, added):
        assert (event.orgid, event.actor, event.aggregateversion) == (org_id, "user_ada", 1)
        assert (event.causationid, event.correlationid) == (event_id, "correlation")
    assert created.data["personal"] is True
    person = {"user_id": "user_ada", "email": email_of("ada"), "name": "Ada Byron"}
    assert added.data == {**person, "role": "owner", **NO_OVERRIDES}
    assert await world.seats(org_id) == 1


async def test_who_was_invited_gets_none(world: World) -> None:
    await deliver(world, registration(invited=True))
    assert (await world.call("ada", "GET", "/organizations")).json()["items"] == []
    assert await world.events() == []


async def test_a_repeated_delivery_makes_one(world: World) -> None:
    event_id = await deliver(world, registration())
    await deliver(world, registration(), event_id)
    assert await world.types() == ["organization.created", "member.added"]
    assert await world.seats(model.personal_org_id("user_ada")) == 1
    assert await world.sut.table.get(inbox_key("tenancy.users", event_id)) is not None


async def test_the_same_user_under_another_event_keeps_the_first_one(world: World) -> None:
    """The claim does not last for ever; the organization's id does."""
    await deliver(world, registration())
    await deliver(world, registration(name="Ada King"))
    [mine] = (await world.call("ada", "GET", "/organizations")).json()["items"]
    assert mine["name"] == "Ada Byron's space"
    assert await world.types() == ["organization.created", "member.added"]


async def test_another_user_gets_another_one(world: World) -> None:
    """The control of the two tests above."""
    await deliver(world, registration())
    await deliver(world, registration("bo"))
    assert len(await world.events(tenancy.OrganizationCreated)) == 2


async def test_a_taken_slug_does_not_matter(world: World) -> None:
    taken, other = model.personal_slugs("user_ada", "Ada Byron")
    await world.organization("eve", taken)
    await deliver(world, registration())
    [mine] = (await world.call("ada", "GET", "/organizations")).json()["items"]
    assert mine["slug"] == other


async def test_a_commit_that_failed_is_made_by_the_next_delivery(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write = world.sut.table.write

    async def broken(_operations: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(world.sut.table, "write", broken)
    with pytest.raises(ConnectionError):
        await deliver(world, registration(), "event")
    assert await world.events() == []
    monkeypatch.setattr(world.sut.table, "write", write)
    await deliver(world, registration(), "event")
    assert await world.types() == ["organization.created", "member.added"]


def test_a_personal_organization_is_the_same_each_time() -> None:
    assert model.personal_org_id("user_ada") == model.personal_org_id("user_ada")
    assert model.personal_org_id("user_ada") != model.personal_org_id("user_bo")
    assert model.personal_slugs("user_ada", "Ada") == model.personal_slugs("user_ada", "Ada")


@pytest.mark.parametrize(
    ("name", "start"),
    [("Zoë de Vries", "zoe-de-vries-"), ("  ", "space-"), ("李雷", "space-"), ("A" * 100, "a" * 24 + "-")],
)
def test_a_personal_slug_is_a_slug(name: str, start: str) -> None:
    first, second = model.personal_slugs("user_x", name)
    assert first.startswith(start)
    for slug in (first, second):
        assert 3 <= len(slug) <= 40
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert first != second
