"""The creation of organizations, each with its first owner: by people, and for them when they register."""

from chassis.errors import AlreadyHandled, TenfoldError
from chassis.work.scope import OrgScope, UserScope
from contracts.common import Role
from services.tenancy.errors import SlugTaken
from services.tenancy.members.model import Membership
from services.tenancy.members.repository import MembershipRepository
from services.tenancy.onboarding.model import personal_org_id, personal_organization, personal_slugs
from services.tenancy.organizations.model import Organization
from services.tenancy.organizations.repository import OrganizationRepository, SeatCounter


async def create(scope: UserScope, name: str, slug: str) -> Organization:
    """Create an organization whose owner is the user. Raises SlugTaken."""
    organization = Organization(
        id=scope.new_id("org"), slug=slug, name=name, owners=(scope.user_id,), created_at=scope.now()
    )
    # unscoped(made-scope): the organization is new, and theirs
    org_scope = scope.for_org(organization.id)
    return await _create(org_scope, organization, scope.actor.email or "", scope.actor.name or "")


async def create_personal(scope: OrgScope, user_id: str, email: str, name: str) -> None:
    """Create the organization of one person alone. Raises AlreadyHandled if they have it."""
    # unscoped(made-scope): the organization is new, and follows from the person whom the event registers
    org_scope = scope.for_org(personal_org_id(user_id))
    organization = personal_organization(user_id, name, scope.now())
    exists = AlreadyHandled(f"{user_id} has a personal organization.")
    try:
        await _create(org_scope, organization, email, name, exists)
    except SlugTaken:
        _, other_slug = personal_slugs(user_id, name)
        await _create(org_scope, organization.model_copy(update={"slug": other_slug}), email, name, exists)


async def _create(
    scope: OrgScope, organization: Organization, email: str, name: str, on_conflict: TenfoldError | None = None
) -> Organization:
    """Store the organization and the membership of its owner, whose `email` and `name` are given, in one transaction.
    Raises SlugTaken, and `on_conflict` if the organization exists."""
    unit = scope.unit_of_work()
    organizations, members = OrganizationRepository(scope), MembershipRepository(scope)
    stored = organizations.create(unit, organization, on_conflict=on_conflict)
    organizations.reserve_slug(unit, organization)
    owner = members.create(
        unit,
        Membership(id=organization.owner_id, email=email, name=name, role=Role.OWNER, org_id=organization.id),
    )
    members.reserve_address(unit, owner)
    SeatCounter(scope).reserve(unit, organization.plan)
    unit.publish(stored.created_event(), version=stored.version)
    unit.publish(owner.added_event(), version=owner.version)
    return await unit.answer(stored)
