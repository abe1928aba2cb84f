"""What identity reads of tenancy: who belongs where, for the tokens, for its own guards and for API keys; and of every
service: which keys are in use."""

from pydantic import BaseModel

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected
from chassis.tenants import members
from chassis.tenants.organizations import follow
from chassis.work.scope import EventContext
from contracts.access import KeyUse
from contracts.catalog import load_all
from contracts.common import ApiKeyId
from contracts.reads import reader_of
from services.identity.model import LastUse, Membership
from services.identity.repository import LastUses, Memberships

memberships = Subscription("memberships", mode="latest")
follow(memberships)


@memberships.on(members.Added)
async def keep_added(event: members.Added, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)
    await members.keep_added(event, ctx)


@memberships.on(members.RoleChanged)
async def keep_role(event: members.RoleChanged, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)
    await members.keep_role(event, ctx)


@memberships.on(members.PermissionsChanged)
async def keep_permissions(event: members.PermissionsChanged, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)
    await members.keep_permissions(event, ctx)


@memberships.on(members.Removed)
async def keep_removed(event: members.Removed, ctx: EventContext) -> None:
    await _keep(event, ctx, active=False)
    await members.keep_removed(event, ctx)


async def _keep(event: members.MembershipEvent, ctx: EventContext, *, active: bool) -> None:
    if ctx.version < 1:
        raise Rejected(f"The membership in {ctx.event_id} has no version.")
    membership = Membership(
        id=ctx.scope.org_id,
        role=event.role,
        active=active,
        grants=event.grants,
        denies=event.denies,
        version=ctx.version,
    )
    # unscoped(made-scope): the membership stands with its person, under the organization that the envelope names
    await Memberships(ctx.scope.for_user(event.user_id)).project(membership)


class Used(BaseModel):
    key_id: ApiKeyId


async def keep_use(event: Used, ctx: EventContext) -> None:
    """By its time, so that of uses in any order the latest stays. A clock that is ahead is not believed."""
    await LastUses(ctx.scope).project(LastUse.at(event.key_id, min(ctx.time, ctx.scope.now())))


for _published in load_all().values():  # so that a new service needs no line here
    if issubclass(_published, KeyUse):
        memberships.on(reader_of(_published, Used))(keep_use)
