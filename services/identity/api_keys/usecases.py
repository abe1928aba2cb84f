"""API keys: created, listed, rotated and revoked by administrators. A secret is shown once and stored as a digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.auth.api_key_format import digest_of, format_key
from chassis.errors import Conflict, FieldError, Forbidden, Invalid
from chassis.tenants.api_keys import KeySecret
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import PermissionName
from contracts.permissions import OPERATIONS
from services.identity.api_keys.model import KeyInUse, NewKey, OwnedKey
from services.identity.api_keys.repository import KEYS, LastUseRepository, OwnedKeyRepository
from services.identity.errors import KeyMadeBefore
from services.identity.ports import SecretSource


async def create(scope: OrgScope, name: str, scopes: tuple[PermissionName, ...], good_until: datetime | None) -> NewKey:
    """Create a key, held by the caller. Raises Invalid for an operation that does not exist or for an end in the past,
    Forbidden for an operation that the caller has no permission for, LimitReached, or KeyMadeBefore for a repeated
    request."""
    _check_end(scope, good_until)
    _check_scopes(scope, scopes)
    text, secret = _new_secret(scope, good_until, "identity.api_key.create")
    unit, keys = scope.unit_of_work(), OwnedKeyRepository(scope)
    key = keys.create(
        unit,
        OwnedKey(
            id=scope.new_id("key"),
            name=name,
            scopes=scopes,
            secrets=(secret,),
            created_at=scope.now(),
            good_until=good_until,
        ),
    )
    keys.count(unit, 1)
    unit.publish(key.created_event(), version=key.version)
    if not await unit.commit():
        raise KeyMadeBefore
    return NewKey(key, scope.org_id, format_key(scope.org_id, key.id, text))


async def list_keys(scope: OrgScope, request: PageRequest) -> Page[KeyInUse]:
    """The organization's keys, oldest first."""
    page = await OwnedKeyRepository(scope).page(KEYS, request)
    return Page(items=await _with_last_uses(scope, page.items), next=page.next)


async def read(scope: OrgScope, key_id: str) -> KeyInUse:
    """One key, revoked or not. Raises NotFound."""
    [key] = await _with_last_uses(scope, [await OwnedKeyRepository(scope).get(key_id)])
    return key


async def rotate(scope: OrgScope, key_id: str, overlap: timedelta, good_until: datetime | None) -> NewKey:
    """Issue a new secret, held by the caller, to whom it is shown. The previous secret stays valid for `overlap`, as
    far as its own holder allows. Raises NotFound, Invalid for an end in the past, Conflict for a revoked key, or
    KeyMadeBefore for a repeated request."""
    _check_end(scope, good_until)
    keys = OwnedKeyRepository(scope)
    key = await keys.get(key_id)
    scope.require_match(key)
    if not key.active:
        raise Conflict("This API key is revoked; make another.")
    text, secret = _new_secret(scope, good_until, "identity.api_key.rotate")
    unit = scope.unit_of_work()
    saved = keys.save(unit, key.replace_secret(secret, scope.now() + overlap if overlap else None))
    unit.publish(saved.rotated_event(), version=saved.version)
    if not await unit.commit():
        raise KeyMadeBefore
    return NewKey(saved, scope.org_id, format_key(scope.org_id, saved.id, text))


async def revoke(scope: OrgScope, key_id: str) -> None:
    """End all secrets of a key. Nothing happens if it is revoked already. Raises NotFound."""
    keys = OwnedKeyRepository(scope)
    key = await keys.get(key_id)
    scope.require_match(key)
    if not key.active:
        return
    unit = scope.unit_of_work()
    saved = keys.save(unit, key.revoke())
    keys.count(unit, -1)
    unit.publish(saved.revoked_event(), version=saved.version)
    await unit.commit()


async def _with_last_uses(scope: OrgScope, keys: Sequence[OwnedKey]) -> list[KeyInUse]:
    """`keys` are sorted by id, as lists are."""
    uses = await LastUseRepository(scope).between(keys[0].id, keys[-1].id) if keys else {}
    return [KeyInUse(key, scope.org_id, uses.get(key.id)) for key in keys]


def _check_end(scope: OrgScope, good_until: datetime | None) -> None:
    if good_until is not None and good_until <= scope.now():
        raise Invalid("The key would have expired already.", [FieldError("body.expires_at", "is in the past")])


def _check_scopes(scope: OrgScope, scopes: tuple[PermissionName, ...]) -> None:
    unknown = [
        FieldError("body.scopes", f"There is no operation {each!r}.") for each in scopes if each not in OPERATIONS
    ]
    if unknown:
        raise Invalid(unknown[0].message, unknown)
    for each in scopes:
        scope.actor.require(each, OPERATIONS[each])


def _new_secret(scope: OrgScope, good_until: datetime | None, operation: str) -> tuple[str, KeySecret]:
    """The text of a new secret, and what is stored of it. Raises Forbidden for a program: only a person can be
    answerable for a secret."""
    if scope.actor.holder_id is not None or scope.actor.role is None:
        raise Forbidden(operation, "An API key cannot get another one; ask an administrator.")
    text = scope.port(SecretSource).new()
    holder, role = scope.actor.id, scope.actor.role
    return text, KeySecret(digest=digest_of(text), holder_id=holder, role=role, valid_until=good_until)
