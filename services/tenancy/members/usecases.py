"""Use cases of members: the lists of members and of a user's organizations, and the change and end of a membership."""

from collections.abc import Sequence

from chassis.errors import NotFound
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.tenants.members import MEMBERS
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope, UserScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Role
from services.tenancy.errors import RoleTooHigh
from services.tenancy.members.model import (
    Membership,
    UserOrganization,
    check_can_change,
    check_can_give,
    check_can_grant,
    check_overrides,
    check_overrides_of_role,
)
from services.tenancy.members.repository import ORGANIZATIONS_OF_USER, MembershipRepository
from services.tenancy.organizations.repository import OrganizationRepository, SeatCounter
from services.tenancy.permissions import PERMISSIONS

CHANGE_ROLE = "tenancy.member.change_role"
CHANGE_PERMISSIONS = "tenancy.member.change_permissions"
REMOVE = "tenancy.member.remove"


async def list_members(scope: OrgScope, request: PageRequest) -> Page[Membership]:
    """Active members, by address."""
    return await MembershipRepository(scope).page(MEMBERS, request)


async def list_organizations_of_user(scope: UserScope, request: PageRequest) -> Page[UserOrganization]:
    """The organizations in which the user is an active member."""
    page = await MembershipRepository(scope).page(ORGANIZATIONS_OF_USER, request)

    async def read_organization(member: Membership) -> UserOrganization:
        # unscoped(made-scope): an active membership of the caller themselves names it
        organization = await OrganizationRepository(scope.for_org(member.org_id)).get(member.org_id)
        return UserOrganization(organization, member.role)

    return Page(items=await gather_bounded(page.items, read_organization), next=page.next)


async def change_role(scope: OrgScope, user_id: str, new_role: Role | None) -> Membership:
    """Give the member another role; None leaves it as it is. Raises NotFound, RoleTooHigh, LastOwner or
    TooManyOwners."""
    members = MembershipRepository(scope)

    async def change() -> Membership:
        member = await members.get_active(user_id)
        scope.require_match(member)
        check_can_change(scope.actor.role, member.role, CHANGE_ROLE)
        role = new_role or member.role
        check_can_give(scope.actor.role, role, CHANGE_ROLE)
        if member.role is role:
            return member
        unit = scope.unit_of_work()
        await _update_owners(scope, unit, user_id, member.role, role)
        saved = members.save(unit, member.with_role(role))
        unit.publish(saved.role_changed_event(member), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(change)


async def change_permissions(scope: OrgScope, user_id: str, grants: Sequence[str], denies: Sequence[str]) -> Membership:
    """Replace the member's permission overrides. Raises NotFound, Invalid or RoleTooHigh."""
    granted, denied = tuple(sorted(set(grants))), tuple(sorted(set(denies)))
    check_overrides(granted, denied)
    if user_id == scope.actor.person_id:
        raise RoleTooHigh(CHANGE_PERMISSIONS, "You cannot change your own permissions; ask another admin.")
    members = MembershipRepository(scope)

    async def change() -> Membership:
        member = await members.get_active(user_id)
        scope.require_match(member)
        check_can_change(scope.actor.role, member.role, CHANGE_PERMISSIONS)
        if (member.grants, member.denies) == (granted, denied):
            return member
        check_overrides_of_role(member.role, granted, denied)
        given = (set(granted) - set(member.grants)) | (set(member.denies) - set(denied))
        check_can_grant(scope.actor, given, CHANGE_PERMISSIONS)
        unit = scope.unit_of_work()
        saved = members.save(unit, member.model_copy(update={"grants": granted, "denies": denied}))
        unit.publish(saved.permissions_changed_event(member), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(change)


async def remove(scope: OrgScope, user_id: str) -> None:
    """End a membership: by somebody who may remove the member, or by the member. Nothing happens if it has ended.

    Raises NotFound if the user never was a member, Forbidden, RoleTooHigh or LastOwner.
    """
    if user_id != scope.actor.id:
        scope.actor.require(REMOVE, PERMISSIONS[REMOVE])
    members = MembershipRepository(scope)

    async def change() -> None:
        member = await members.find(user_id)
        if member is None:
            raise NotFound("member")
        scope.require_match(member)
        if not member.active:
            return
        check_can_change(scope.actor.role, member.role, REMOVE)
        unit = scope.unit_of_work()
        await _update_owners(scope, unit, user_id, member.role, None)
        saved = members.save(unit, member.model_copy(update={"active": False}))
        members.release_address(unit, saved)
        SeatCounter(scope).release(unit)
        unit.publish(saved.removed_event(), version=saved.version)
        await unit.answer(None)

    await retry_on_stale(change)


async def _update_owners(
    scope: OrgScope, unit: UnitOfWork, user_id: str, previous: Role | None, role: Role | None
) -> None:
    """Save, in `unit`, the organization's owners if the change from `previous` to `role` makes or unmakes one. Raises
    LastOwner, TooManyOwners."""
    if (previous is Role.OWNER) == (role is Role.OWNER):
        return
    organizations = OrganizationRepository(scope)
    organization = await organizations.get(scope.org_id)
    changed = organization.with_owner(user_id) if role is Role.OWNER else organization.without_owner(user_id)
    organizations.save(unit, changed)
