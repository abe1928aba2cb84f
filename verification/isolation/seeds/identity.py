"""Registered people, each in an organization of their own, and one who has not confirmed their address yet."""

from dataclasses import replace

from contracts.common import Role
from contracts.tasks import v1 as tasks
from services.identity.memberships.consumers import memberships
from services.identity.ports import IdentityProvider, SecretSource
from tests.services.identity.conftest import FakeSecrets
from tests.services.identity.fakes import ProviderInMemory
from verification.isolation.people import MALLORY, VERA, Person
from verification.isolation.world import Pair, World, text

PASSWORD, THEIR_PASSWORD = "Blue-Harbor-47", "Green-Meadow-12"
NEWCOMER, STRANGER = "newcomer@wicked.example", "stranger@wicked.example"


async def seed() -> World:
    world = World("identity")
    provider = ProviderInMemory(world.sut.issuer, world.table, world.sut.clock)
    world.set_port(IdentityProvider, provider)
    secret_source = FakeSecrets()
    world.set_port(SecretSource, secret_source)
    world.stateful = [provider, provider.accounts, secret_source]
    world.vera = await _register(world, provider, VERA, THEIR_PASSWORD)
    world.mallory = await _register(world, provider, MALLORY, PASSWORD)
    await world.tell_members(memberships)
    await _post(world, "sign-up", email=NEWCOMER, password=PASSWORD, name="Newcomer")
    session = await _post(world, "sign-in", email=MALLORY.email, password=PASSWORD)
    keys = {org: await _create_keys(world, org) for org in (world.victim_org, world.attacker_org)}
    for org, key_id in keys.items():
        await world.sut.deliver(memberships, tasks.ApiKeyUsed(key_id=key_id), org_id=org)
    email = Pair(VERA.email, MALLORY.email)
    world.pairs = {
        "org_id": Pair(world.victim_org, world.attacker_org),
        "user_id": Pair(world.vera.id, world.mallory.id),
        "holder_id": Pair(world.vera.id, world.mallory.id),
        "key_id": Pair(keys[world.victim_org], keys[world.attacker_org]),
        "email": email,
        "sign_up.email": replace(email, own=STRANGER),
        "confirm_address.email": replace(email, own=NEWCOMER),
    }
    world.values = {
        "password": PASSWORD,
        "name": "Somebody",
        "code": provider.codes[NEWCOMER],
        "refresh_token": session["refresh_token"],
        "role": Role.OWNER,
    }
    return world


async def _create_keys(world: World, org: str) -> str:
    """Creates two keys, so that the list has a second page. Returns the first one's id."""
    token, name = (world.owner, text("robot")) if org == world.victim_org else (world.attacker, "Own robot")
    body = {"name": name, "scopes": ["tasks.task.create"]}
    keys = [await world.call(token, "POST", "/v1/api-keys", body) for _ in range(2)]
    return str(keys[0]["id"])


async def _register(world: World, provider: ProviderInMemory, person: Person, password: str) -> Person:
    """Registers a person, whose id is derived from their address."""
    answer = await _post(world, "sign-up", email=person.email, password=password, name=person.name)
    await _post(world, "confirm", email=person.email, code=provider.codes[person.email])
    return replace(person, id=answer["user_id"])


async def _post(world: World, what: str, **body: str) -> dict[str, str]:
    answer: dict[str, str] = await world.call(None, "POST", f"/v1/auth/{what}", body)
    return answer
