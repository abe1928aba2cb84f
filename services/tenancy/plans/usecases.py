"""The change of an organization's plan. It needs the other features: a smaller plan must have room for all members and
pending invitations."""

from chassis.work.scope import OrgScope
from contracts.common import Plan
from services.tenancy.invitations.usecases.expiry import with_expired_released
from services.tenancy.organizations.model import Organization
from services.tenancy.organizations.repository import OrganizationRepository, SeatCounter


async def change_plan(scope: OrgScope, plan: Plan) -> Organization:
    """Give the organization another plan. Nothing happens if it has that one already. Raises LimitReached if more seats
    are in use than the new plan has."""
    organizations = OrganizationRepository(scope)

    async def change_once() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        if organization.plan is plan:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, organization.model_copy(update={"plan": plan}))
        SeatCounter(scope).require_fit(unit, plan)
        unit.publish(saved.plan_changed_event(organization), version=saved.version)
        return await unit.answer(saved)

    return await with_expired_released(scope, change_once)
