"""The route that changes an organization's plan."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.work.scope import OrgScope
from services.tenancy.organizations.schemas import OrganizationView
from services.tenancy.permissions import guard
from services.tenancy.plans import usecases
from services.tenancy.plans.schemas import NewPlan

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.put("/organizations/{org_id}/plan")
async def change_plan(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.change_plan"))], body: NewPlan
) -> OrganizationView:
    """Change the organization's plan, and with it its limits. 409 if more seats are in use than the new plan has."""
    return OrganizationView.of(await usecases.change_plan(scope, body.plan))
