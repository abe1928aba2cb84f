"""Registered people, each in an organization of their own; one who has not confirmed yet."""

from dataclasses import replace

from contracts.common import Role
from services.identity.consumers import memberships
from services.identity.development import DevelopmentProvider
from services.identity.ports import IdentityProvider
from tests.isolation.people import MALLORY, VERA, Person
from tests.isolation.world import Pair, World

PASSWORD, THEIR_PASSWORD = "Blue-Harbor-47", "Green-Meadow-12"
NEWCOMER, STRANGER = "newcomer@wicked.example", "stranger@wicked.example"


async def seed() -> World:
    world = World("identity")
    provider = DevelopmentProvider(world.sut.issuer, world.table)
    world.set_port(IdentityProvider, provider)
    world.stateful = [provider]
    world.vera = await _registered(world, provider, VERA, THEIR_PASSWORD)
    world.mallory = await _registered(world, provider, MALLORY, PASSWORD)
    await world.tell_members(memberships)
    await _post(world, "sign-up", email=NEWCOMER, password=PASSWORD, name="Newcomer")
    session = await _post(world, "sign-in", email=MALLORY.email, password=PASSWORD)
    email = Pair(VERA.email, MALLORY.email)
    world.pairs = {
        "org_id": Pair(world.victim_org, world.attacker_org),
        "user_id": Pair(world.vera.id, world.mallory.id),
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


async def _registered(world: World, provider: DevelopmentProvider, person: Person, password: str) -> Person:
    """Their id follows from their address."""
    made = await _post(world, "sign-up", email=person.email, password=password, name=person.name)
    await _post(world, "confirm", email=person.email, code=provider.codes[person.email])
    return replace(person, id=made["user_id"])


async def _post(world: World, what: str, **body: str) -> dict[str, str]:
    answer: dict[str, str] = await world.call(None, "POST", f"/v1/auth/{what}", body)
    return answer
