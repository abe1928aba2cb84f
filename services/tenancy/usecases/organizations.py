"""Organizations: made by people, or for them when they sign up; their plan."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import AlreadyHandled, TenfoldError
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope, UserScope
from contracts.common import OrgStatus, Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import SlugTaken
from services.tenancy.model import Membership, MyOrganization, Organization, personal_org_id, personal_slugs
from services.tenancy.repository import ORGANIZATIONS_OF_USER, Memberships, Organizations, Seats
from services.tenancy.usecases.expiry import with_expired_released
from services.tenancy.usecases.trying import again_if_stale, for_each


async def create(scope: UserScope, name: str, slug: str) -> Organization:
    """An organization whose owner is the user. Raises SlugTaken."""
    organization = Organization(
        id=scope.new_id("org"), slug=slug, name=name, owners=(scope.user_id,), created_at=scope.now()
    )
    # unscoped(made-scope): the organization is new, and theirs
    return await _found(scope.for_org(organization.id), organization, scope.actor.email or "", scope.actor.name or "")


async def create_personal(scope: OrgScope, user_id: str, email: str, name: str) -> None:
    """The organization of one person alone. Raises AlreadyHandled if they have it."""
    # unscoped(made-scope): the organization is new, and follows from the person whom the event registers
    org_scope = scope.for_org(personal_org_id(user_id))
    there = AlreadyHandled(f"{user_id} has a personal organization.")
    slug, other_slug = personal_slugs(user_id, name)
    organization = Organization(
        id=org_scope.org_id,
        slug=slug,
        name=f"{name}'s space" if name else "Personal space",
        personal=True,
        owners=(user_id,),
        created_at=scope.now(),
    )
    try:
        await _found(org_scope, organization, email, name, there)
    except SlugTaken:
        await _found(org_scope, organization.model_copy(update={"slug": other_slug}), email, name, there)


async def _found(
    scope: OrgScope, organization: Organization, email: str, name: str, if_there: TenfoldError | None = None
) -> Organization:
    unit, organizations, members = scope.unit_of_work(), Organizations(scope), Memberships(scope)
    stored = organizations.create(unit, organization, on_conflict=if_there)
    organizations.take_slug(unit, organization)
    owner = Membership(id=organization.owner_id, email=email, name=name, role=Role.OWNER, org_id=organization.id)
    owner = members.create(unit, owner)
    members.hold_address(unit, owner)
    Seats(scope).take(unit, organization.plan)
    created = tenancy.OrganizationCreated(
        org_id=stored.id,
        slug=stored.slug,
        name=stored.name,
        plan=stored.plan,
        owner_id=owner.id,
        personal=stored.personal,
        organization=stored.state,
    )
    unit.publish(created, version=stored.version)
    unit.publish(tenancy.MemberAdded(**owner.told()), version=owner.version)
    return await unit.answer(stored)


async def read(scope: OrgScope) -> Organization:
    return await Organizations(scope).get(scope.org_id)


async def list_mine(scope: UserScope, request: PageRequest) -> Page[MyOrganization]:
    """Where the user is an active member."""
    page = await Memberships(scope).page(ORGANIZATIONS_OF_USER, request)

    async def described(member: Membership) -> MyOrganization:
        # unscoped(made-scope): an active membership of the caller themselves names it
        organization = await Organizations(scope.for_org(member.org_id)).get(member.org_id)
        return MyOrganization(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            plan=organization.plan,
            status=organization.status,
            role=member.role,
        )

    return Page(items=await for_each(page.items, described), next=page.next)


async def change(scope: OrgScope, wanted: Mapping[str, Any]) -> Organization:
    """Another name, other settings: those that `wanted` names. Nothing happens if they are so already."""
    organizations = Organizations(scope)

    async def change() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        other = organization.model_copy(update=dict(wanted))
        if other == organization:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, other)
        changed = tenancy.OrganizationChanged(
            org_id=saved.id, organization=saved.state, previous_organization=organization.state
        )
        unit.publish(changed, version=saved.version)
        return await unit.answer(saved)

    return await again_if_stale(change)


async def change_status(scope: OrgScope, status: OrgStatus, reason: str) -> Organization:
    """By the platform's staff. Nothing happens if it has that status already. Raises NotFound."""
    organizations = Organizations(scope)

    async def change() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        if organization.status is status:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, organization.model_copy(update={"status": status, "status_reason": reason}))
        changed = tenancy.OrganizationStatusChanged(
            org_id=saved.id,
            previous_status=organization.status,
            status=status,
            reason=reason,
            organization=saved.state,
        )
        unit.publish(changed, version=saved.version)
        return await unit.answer(saved)

    return await again_if_stale(change)


async def change_plan(scope: OrgScope, plan: Plan) -> Organization:
    """Raises LimitReached if more seats are taken than the new plan has."""
    organizations = Organizations(scope)

    async def change() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        if organization.plan is plan:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, organization.model_copy(update={"plan": plan}))
        Seats(scope).fit(unit, plan)
        changed = tenancy.PlanChanged(
            org_id=saved.id, previous_plan=organization.plan, plan=plan, organization=saved.state
        )
        unit.publish(changed, version=saved.version)
        return await unit.answer(saved)

    return await with_expired_released(scope, change)
