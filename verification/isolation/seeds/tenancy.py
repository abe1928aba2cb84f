"""Two organizations whose members were invited and joined over HTTP, and invitations that wait for an answer."""

from chassis.tenants.vault import KeyService
from chassis.testing.keys import FakeKeys
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.ports import TokenSource
from tests.services.tenancy.world import FakeTokens
from verification.isolation.people import MARK, Person, theirs
from verification.isolation.world import Pair, World

GUEST = theirs("guest")
OWN_GUEST = Person("user_ownguest", "guest@wicked.example", "Guest")


FRESH = {
    "name": "fresh",
    "slug": "fresh-slug",
    "email": "fresh@wicked.example",
    "role": "viewer",
    "plan": "enterprise",
    "reason": "fresh",
    "grants": ["tasks.comment.create"],
    "denies": ["tasks.task.create"],
    "allowed_origins": ["https://wicked.example"],
    "invited": False,
    "platform": "Jira",
    "secret": "fresh-secret",
}
"""The fields of requests that change something."""


async def seed() -> World:
    tokens, keys = FakeTokens(), FakeKeys()
    world = World("tenancy", {TokenSource: tokens, KeyService: keys})
    world.stateful = [tokens, keys]
    world.victim_org = await _create_organization(world, world.vera, "planted-slug", "Planted name")
    world.attacker_org = await _create_organization(world, world.mallory, "wicked", "Wicked")
    for person, role in (*((each, role) for role, each in world.by_role.items()), (world.removed, Role.ADMIN)):
        await _join(world, world.vera, world.victim_org, person, role)
    await _join(world, world.mallory, world.attacker_org, MARK, Role.MEMBER)
    removal = f"/v1/organizations/{world.victim_org}/members/{world.removed.id}"
    await world.call(world.owner, "DELETE", removal)
    # Each owner has two organizations, so that their list has a second page.
    await _create_organization(world, world.vera, "planted-second", "Planted second")
    await _create_organization(world, world.mallory, "wicked-second", "Wicked second")
    token = await _invite(world, world.vera, world.victim_org, GUEST, Role.VIEWER)
    own_token = await _invite(world, world.mallory, world.attacker_org, OWN_GUEST, Role.VIEWER)
    for owner, org, name in ((world.vera, world.victim_org, "planted"), (world.mallory, world.attacker_org, "wicked")):
        for each in (f"{name}-jira", f"{name}-slack"):
            await _store_credential(world, owner, org, each)
    invited = {e.orgid: e.subject for e in await world.sut.published_events(tenancy.InvitationCreated)}
    world.pairs = {
        "org_id": Pair(world.victim_org, world.attacker_org),
        "user_id": Pair(world.by_role[Role.MEMBER].id, MARK.id),
        "invitation_id": Pair(invited[world.victim_org], invited[world.attacker_org]),
        "token": Pair(token, own_token),
        "credential_name": Pair("planted-jira", "wicked-jira"),
    }
    world.holders = {"accept_invitation": GUEST, "decline_invitation": GUEST}
    world.values = dict(FRESH)
    return world


async def _create_organization(world: World, owner: Person, slug: str, name: str) -> str:
    token = world.token(owner.claims(None))
    created = await world.call(token, "POST", "/v1/organizations", {"name": name, "slug": slug})
    await world.call(token, "PUT", f"/v1/organizations/{created['id']}/plan", {"plan": "professional"})
    return str(created["id"])


async def _invite(world: World, by: Person, org: str, person: Person, role: Role) -> str:
    world.sut.clock.advance(seconds=1)
    body = {"email": person.email, "role": role.value}
    await world.call(world.token(by.claims(org)), "POST", f"/v1/organizations/{org}/invitations", body)
    created = await world.sut.published_events(tenancy.InvitationCreated)
    return str(created[-1].data["token"])


async def _join(world: World, by: Person, org: str, person: Person, role: Role) -> None:
    token = await _invite(world, by, org, person, role)
    await world.call(world.token(person.claims(None)), "POST", "/v1/invitations/accept", {"token": token})


async def _store_credential(world: World, owner: Person, org: str, name: str) -> None:
    path = f"/v1/organizations/{org}/credentials"
    body = {"name": name, "platform": "Jira", "secret": f"planted secret of {name}"}
    await world.call(world.token(owner.claims(org)), "POST", path, body)
