"""API keys: made, replaced and revoked by administrators. A secret is shown once, and kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.auth.api_key_format import digest_of, format_key
from chassis.errors import Conflict, FieldError, Forbidden, Invalid
from chassis.tenants.api_keys import KeySecret
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import PermissionName
from contracts.identity.v1 import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, ApiKeySecret
from contracts.permissions import OPERATIONS
from services.identity.model import OwnedKey
from services.identity.ports import SecretSource
from services.identity.repository import KEYS, LastUses, OwnedKeys


class KeyMadeBefore(Conflict):
    """A repeated request cannot show again what was shown once."""

    def __init__(self) -> None:
        super().__init__(
            "An earlier try made this key, and its secret is shown only once: rotate the key to get another."
        )


@dataclass(frozen=True, repr=False)
class NewKey:
    """A key, and the text of it that nobody can get a second time."""

    key: OwnedKey
    text: str


@dataclass(frozen=True)
class KeyInUse:
    """A key as its administrators see it."""

    key: OwnedKey
    org_id: str
    last_used_at: datetime | None
    """None if it was not used in the last `repository.USE_KEPT`."""

    @property
    def version(self) -> int:
        return self.key.version


async def create(scope: OrgScope, name: str, scopes: tuple[PermissionName, ...], good_until: datetime | None) -> NewKey:
    """Raises Invalid for an operation that there is none of, Forbidden for one that the maker may not do, LimitReached,
    or KeyMadeBefore for a repeated request."""
    _check_scopes(scope, scopes)
    secret, held = _new_secret(scope, good_until, "identity.api_key.create")
    unit, keys = scope.unit_of_work(), OwnedKeys(scope)
    key = OwnedKey(
        id=scope.new_id("key"),
        name=name,
        scopes=scopes,
        secrets=(held,),
        created_at=scope.now(),
        good_until=good_until,
    )
    saved = keys.create(unit, key)
    keys.count(unit, 1)
    event = ApiKeyCreated(key_id=saved.id, name=saved.name, scopes=list(saved.scopes), secrets=_published(saved))
    unit.publish(event, version=saved.version)
    if not await unit.commit():
        raise KeyMadeBefore
    return NewKey(saved, format_key(scope.org_id, saved.id, secret))


async def page(scope: OrgScope, request: PageRequest) -> Page[KeyInUse]:
    found = await OwnedKeys(scope).page(KEYS, request)
    return Page(items=await _in_use(scope, found.items), next=found.next)


async def read(scope: OrgScope, key_id: str) -> KeyInUse:
    """Raises NotFound."""
    [found] = await _in_use(scope, [await OwnedKeys(scope).get(key_id)])
    return found


async def rotate(scope: OrgScope, key_id: str, overlap: timedelta, good_until: datetime | None) -> NewKey:
    """A new secret, held by whom it is shown to; the one before is good for `overlap` longer, as far as its own holder
    is. Raises NotFound, Conflict for a revoked key, or KeyMadeBefore for a repeated request."""
    keys = OwnedKeys(scope)
    key = await keys.get(key_id)
    scope.require_match(key)
    if not key.active:
        raise Conflict("This API key is revoked; make another.")
    secret, held = _new_secret(scope, good_until, "identity.api_key.rotate")
    unit = scope.unit_of_work()
    left = key.secrets[:1] if overlap else ()
    ending = tuple(each.model_copy(update={"valid_until": _sooner(each, scope.now() + overlap)}) for each in left)
    saved = keys.save(unit, key.model_copy(update={"secrets": (held, *ending), "good_until": good_until}))
    event = ApiKeyRotated(key_id=saved.id, name=saved.name, scopes=list(saved.scopes), secrets=_published(saved))
    unit.publish(event, version=saved.version)
    if not await unit.commit():
        raise KeyMadeBefore
    return NewKey(saved, format_key(scope.org_id, saved.id, secret))


async def revoke(scope: OrgScope, key_id: str) -> None:
    """None of its secrets is good any more. Nothing happens if it is revoked already. Raises NotFound."""
    keys = OwnedKeys(scope)
    key = await keys.get(key_id)
    scope.require_match(key)
    if not key.active:
        return
    unit = scope.unit_of_work()
    saved = keys.save(unit, key.model_copy(update={"active": False, "secrets": ()}))
    keys.count(unit, -1)
    unit.publish(ApiKeyRevoked(key_id=saved.id, name=saved.name), version=saved.version)
    await unit.commit()


async def _in_use(scope: OrgScope, keys: Sequence[OwnedKey]) -> list[KeyInUse]:
    """`keys` are sorted by id, as lists are."""
    uses = await LastUses(scope).between(keys[0].id, keys[-1].id) if keys else {}
    return [KeyInUse(key, scope.org_id, uses.get(key.id)) for key in keys]


def _check_scopes(scope: OrgScope, scopes: tuple[PermissionName, ...]) -> None:
    unknown = [
        FieldError("body.scopes", f"There is no operation {each!r}.") for each in scopes if each not in OPERATIONS
    ]
    if unknown:
        raise Invalid(unknown[0].message, unknown)
    for each in scopes:
        scope.actor.require(each, OPERATIONS[each])


def _new_secret(scope: OrgScope, good_until: datetime | None, operation: str) -> tuple[str, KeySecret]:
    """Raises Forbidden for a program: only a person can be answerable for a secret."""
    if scope.actor.holder_id is not None or scope.actor.role is None:
        raise Forbidden(operation, "An API key cannot get another one; ask an administrator.")
    secret = scope.port(SecretSource).new()
    held = KeySecret(digest=digest_of(secret), holder_id=scope.actor.id, role=scope.actor.role, valid_until=good_until)
    return secret, held


def _sooner(secret: KeySecret, end: datetime) -> datetime:
    return end if secret.valid_until is None else min(secret.valid_until, end)


def _published(key: OwnedKey) -> list[ApiKeySecret]:
    return [ApiKeySecret(**dict(each)) for each in key.secrets]
