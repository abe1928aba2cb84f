"""Members: their roles, and their end."""

from chassis.errors import NotFound
from chassis.tenants.members import MEMBERS
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.model import Membership, check_changes, check_gives
from services.tenancy.permissions import PERMISSIONS
from services.tenancy.repository import Memberships, Organizations, Seats
from services.tenancy.usecases.trying import again_if_stale

CHANGE_ROLE = "tenancy.member.change_role"
REMOVE = "tenancy.member.remove"


async def list_members(scope: OrgScope, request: PageRequest) -> Page[Membership]:
    """Active ones, by address."""
    return await Memberships(scope).page(MEMBERS, request)


async def change_role(scope: OrgScope, user_id: str, wanted: Role | None) -> Membership:
    """None leaves it as it is. Raises NotFound, RoleTooHigh, LastOwner or TooManyOwners."""
    members = Memberships(scope)

    async def change() -> Membership:
        member = await members.active(user_id)
        if member is None:
            raise NotFound("member")
        scope.require_match(member)
        check_changes(scope.actor.role, member.role, CHANGE_ROLE)
        role = wanted or member.role
        check_gives(scope.actor.role, role, CHANGE_ROLE)
        if member.role is role:
            return member
        unit = scope.unit_of_work()
        await keep_owners(scope, unit, user_id, member.role, role)
        saved = members.save(unit, member.with_role(role))
        changed = tenancy.MemberRoleChanged(previous_role=member.role, **saved.told())
        unit.publish(changed, version=saved.version)
        return await unit.answer(saved)

    return await again_if_stale(change)


async def remove(scope: OrgScope, user_id: str) -> None:
    """Out, by somebody who may or by themselves. Nothing happens if they are out already.

    Raises NotFound if they never were a member, Forbidden, RoleTooHigh or LastOwner.
    """
    if user_id != scope.actor.id:
        scope.actor.require(REMOVE, PERMISSIONS[REMOVE])
    members = Memberships(scope)

    async def change() -> None:
        member = await members.find(user_id)
        if member is None:
            raise NotFound("member")
        scope.require_match(member)
        if not member.active:
            return
        check_changes(scope.actor.role, member.role, REMOVE)
        unit = scope.unit_of_work()
        await keep_owners(scope, unit, user_id, member.role, None)
        saved = members.save(unit, member.model_copy(update={"active": False}))
        members.free_address(unit, saved)
        Seats(scope).free(unit)
        unit.publish(tenancy.MemberRemoved(**saved.told()), version=saved.version)
        await unit.answer(None)

    await again_if_stale(change)


async def keep_owners(
    scope: OrgScope, unit: UnitOfWork, user_id: str, previous: Role | None, role: Role | None
) -> None:
    """Let the organization know, in `unit`, that one of its owners is new or gone. Raises LastOwner, TooManyOwners."""
    if (previous is Role.OWNER) == (role is Role.OWNER):
        return
    organizations = Organizations(scope)
    organization = await organizations.get(scope.org_id)
    changed = organization.with_owner(user_id) if role is Role.OWNER else organization.without_owner(user_id)
    organizations.save(unit, changed)
