"""What identity reads of tenancy: who belongs where, for the tokens."""

from chassis.context import EventContext
from chassis.errors import Rejected
from chassis.organizations import follow
from chassis.subscription import Subscription
from contracts.common import Role, UserId
from contracts.reads import Reads
from contracts.tenancy import v1 as tenancy
from services.identity import usecases
from services.identity.model import Membership


class Added(Reads[tenancy.MemberAdded]):
    user_id: UserId
    role: Role
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


class RoleChanged(Reads[tenancy.MemberRoleChanged]):
    user_id: UserId
    role: Role
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


class PermissionsChanged(Reads[tenancy.MemberPermissionsChanged]):
    user_id: UserId
    role: Role
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


class Removed(Reads[tenancy.MemberRemoved]):
    user_id: UserId
    role: Role
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


Told = Added | RoleChanged | PermissionsChanged | Removed

memberships = Subscription("memberships", mode="latest")
follow(memberships)


@memberships.on(Added)
async def keep_added(event: Added, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)


@memberships.on(RoleChanged)
async def keep_role(event: RoleChanged, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)


@memberships.on(PermissionsChanged)
async def keep_permissions(event: PermissionsChanged, ctx: EventContext) -> None:
    await _keep(event, ctx, active=True)


@memberships.on(Removed)
async def keep_removed(event: Removed, ctx: EventContext) -> None:
    await _keep(event, ctx, active=False)


async def _keep(event: Told, ctx: EventContext, *, active: bool) -> None:
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
    await usecases.project_membership(ctx.scope.for_user(event.user_id), membership)
