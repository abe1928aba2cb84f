"""Each service's projection of an organization's API keys.

`follow` adds it to a subscription, as `chassis.tenants.members:subscription` does. In the identity service the same
rows are not a projection but the source; they have the same key and the same fields.
"""

import hmac
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected
from chassis.work.repository import Aggregate, Repository
from chassis.work.scope import EventContext, Scope
from contracts.common import ApiKeyId, PermissionName, Role, UserId
from contracts.identity import v1 as identity
from contracts.reads import Reads


class KeySecret(BaseModel):
    """A secret of an API key. It is good until `valid_until`, while `holder_id`, the person it was shown to, is a
    member; it allows no more than both that person's present role and their role at the time (`role`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: str
    holder_id: UserId
    role: Role
    valid_until: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return self.valid_until is None or now < self.valid_until


class ApiKey(Aggregate):
    """A program's access to an organization. A revoked key is kept, with `active` false and without secrets."""

    id: ApiKeyId
    name: str
    scopes: tuple[PermissionName, ...] = ()
    secrets: tuple[KeySecret, ...] = ()
    active: bool = True

    def secret(self, digest: str) -> KeySecret | None:
        """The secret with that digest, whether it is still good or not."""
        return next((each for each in self.secrets if hmac.compare_digest(each.digest, digest)), None)


class ApiKeyRepository(Repository[ApiKey]):
    """The API keys of the scope's organization."""

    kind = "API_KEY"
    model = ApiKey


async def project(scope: Scope, key: ApiKey) -> None:
    """Store `key` unless a newer state of it is stored."""
    await ApiKeyRepository(scope).project(key)


class Created(Reads[identity.ApiKeyCreated]):
    key_id: ApiKeyId
    name: str
    scopes: tuple[PermissionName, ...]
    secrets: tuple[KeySecret, ...]


class Rotated(Reads[identity.ApiKeyRotated]):
    key_id: ApiKeyId
    name: str
    scopes: tuple[PermissionName, ...]
    secrets: tuple[KeySecret, ...]


class Revoked(Reads[identity.ApiKeyRevoked]):
    key_id: ApiKeyId
    name: str


def follow(subscription: Subscription) -> None:
    """Let `subscription` keep the API keys of each organization. They commute and may come twice, in any order."""
    subscription.on(Created)(keep_good)
    subscription.on(Rotated)(keep_good)
    subscription.on(Revoked)(keep_revoked)


async def keep_good(event: Created | Rotated, ctx: EventContext) -> None:
    await project(ctx.scope, _key(event, ctx, scopes=event.scopes, secrets=event.secrets))


async def keep_revoked(event: Revoked, ctx: EventContext) -> None:
    await project(ctx.scope, _key(event, ctx, active=False))


def _key(event: Created | Rotated | Revoked, ctx: EventContext, **state: Any) -> ApiKey:
    if ctx.version < 1:
        raise Rejected(f"The API key in {ctx.event_id} has no version.")
    return ApiKey(id=event.key_id, name=event.name, version=ctx.version, **state)
