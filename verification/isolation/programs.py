"""The API keys that programs hold, good and bad, in both organizations of a world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from chassis.auth.api_key_format import digest_of, format_key
from chassis.tenants.api_keys import ApiKey, KeySecret, project
from contracts.common import Role
from verification.isolation.people import MARKER
from verification.isolation.world import Request, World

HEADER = "X-Api-Key"
SECRET, OTHER_SECRET = "5ec2e7" * 10 + "5ec2", "07e2" * 16


@dataclass(frozen=True)
class Program:
    """An API key as somebody presents it; `holder` is whose it is."""

    key_id: str
    text: str
    holder: str

    def with_key(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, HEADER: self.text})


async def program(world: World, org: str, holder: str, name: str, *scopes: str, **of_key: object) -> Program:
    """A key in the service's table as identity's events would put it there."""
    marked = MARKER if org == world.victim_org else "wicked"
    key_id = f"key_{marked}{name}"
    held = KeySecret(digest=digest_of(SECRET), holder_id=holder, role=Role.OWNER)
    state = {"name": f"{marked} {name}", "scopes": scopes, "secrets": (held,), "version": 1} | of_key
    await project(world.sut.scope(org_id=org), ApiKey.model_validate({"id": key_id, **state}))
    return Program(key_id, format_key(org, key_id, SECRET), holder)


def _secret(world: World, **of_secret: object) -> tuple[KeySecret, ...]:
    whole = {"digest": digest_of(SECRET), "holder_id": world.vera.id, "role": Role.OWNER} | of_secret
    return (KeySecret.model_validate(whole),)


BAD: Mapping[str, Callable[[World], Mapping[str, object]]] = {
    "revoked": lambda _: {"active": False, "secrets": ()},
    "expired": lambda world: {"secrets": _secret(world, valid_until=world.sut.clock.now() - timedelta(seconds=1))},
    "replaced": lambda world: {"secrets": _secret(world, digest=digest_of(OTHER_SECRET))},
    "orphaned": lambda _: {},
}


async def bad_programs(world: World, *scopes: str) -> Mapping[str, Program]:
    """Keys of the victim that were good once, and texts that only look like one."""
    found = {}
    for name, made in BAD.items():
        holder = world.removed if name == "orphaned" else world.vera
        found[f"{name} API key"] = await program(world, world.victim_org, holder.id, name, *scopes, **made(world))
    guessed = await program(world, world.victim_org, world.vera.id, "guessed", *scopes)
    forged = format_key(world.victim_org, guessed.key_id, OTHER_SECRET)
    moved = format_key(world.victim_org, "key_wickedown", SECRET)
    return found | {
        "forged API key": Program(guessed.key_id, forged, world.vera.id),
        "API key moved to another organization": Program("key_wickedown", moved, world.vera.id),
    }
