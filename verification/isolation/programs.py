"""API keys of programs, valid and invalid, in both organizations of a world."""

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
    """An API key as a program sends it; `holder` is the person who holds it."""

    key_id: str
    text: str
    holder: str

    def with_key(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, HEADER: self.text})


async def program(world: World, org: str, holder: str, name: str, *scopes: str, **attributes: object) -> Program:
    """A program whose key is in the service's table, stored as by identity's events."""
    prefix = MARKER if org == world.victim_org else "wicked"
    key_id = f"key_{prefix}{name}"
    secret = KeySecret(digest=digest_of(SECRET), holder_id=holder, role=Role.OWNER)
    state = {"name": f"{prefix} {name}", "scopes": scopes, "secrets": (secret,), "version": 1} | attributes
    await project(world.sut.scope(org_id=org), ApiKey.model_validate({"id": key_id, **state}))
    return Program(key_id, format_key(org, key_id, SECRET), holder)


def _secrets(world: World, **attributes: object) -> tuple[KeySecret, ...]:
    values = {"digest": digest_of(SECRET), "holder_id": world.vera.id, "role": Role.OWNER} | attributes
    return (KeySecret.model_validate(values),)


INVALID_KEYS: Mapping[str, Callable[[World], Mapping[str, object]]] = {
    "revoked": lambda _: {"active": False, "secrets": ()},
    "expired": lambda world: {"secrets": _secrets(world, valid_until=world.sut.clock.now() - timedelta(seconds=1))},
    "replaced": lambda world: {"secrets": _secrets(world, digest=digest_of(OTHER_SECRET))},
    "orphaned": lambda _: {},
}


async def bad_programs(world: World, *scopes: str) -> Mapping[str, Program]:
    """Programs with keys of the victim that were valid once, and with texts that only look like keys."""
    programs = {}
    for name, attributes_of in INVALID_KEYS.items():
        holder = world.removed if name == "orphaned" else world.vera
        attributes = attributes_of(world)
        programs[f"{name} API key"] = await program(world, world.victim_org, holder.id, name, *scopes, **attributes)
    guessed = await program(world, world.victim_org, world.vera.id, "guessed", *scopes)
    forged = format_key(world.victim_org, guessed.key_id, OTHER_SECRET)
    moved = format_key(world.victim_org, "key_wickedown", SECRET)
    return programs | {
        "forged API key": Program(guessed.key_id, forged, world.vera.id),
        "API key moved to another organization": Program("key_wickedown", moved, world.vera.id),
    }
