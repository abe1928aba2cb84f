"""The subscription `memberships`. Of tenancy it reads who belongs to which organization, for tokens and for the guards
and API keys of this service; of every service, which API keys are in use."""

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected
from chassis.tenants import members
from chassis.tenants.organizations import follow
from chassis.work.scope import EventContext
from services.identity.api_keys.consumers import follow_uses
from services.identity.memberships.model import Membership
from services.identity.memberships.repository import MembershipRepository

memberships = Subscription("memberships", mode="latest")
follow(memberships)
follow_uses(memberships)


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
    """Project a membership. Raises Rejected for an event without the membership's version."""
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
    # unscoped(made-scope): a membership is stored with its user, under the organization that the envelope names
    await MembershipRepository(ctx.scope.for_user(event.user_id)).project(membership)
