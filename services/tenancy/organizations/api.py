"""Routes of organizations: reading one, and changing its name, its settings and its status."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.work.scope import OrgScope
from services.tenancy.organizations import usecases
from services.tenancy.organizations.schemas import NewStatus, OrganizationChange, OrganizationView
from services.tenancy.permissions import guard

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.get("/organizations/{org_id}")
async def read_organization(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.read", while_suspended=True))],
) -> OrganizationView:
    """One organization, for its members."""
    return OrganizationView.of(await usecases.read(scope))


@router.patch("/organizations/{org_id}")
async def change_organization(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.change"))], body: OrganizationChange
) -> OrganizationView:
    """Change the organization's name or its settings. Fields that you leave out stay as they are."""
    return OrganizationView.of(await usecases.change(scope, body.fields()))


@router.put("/organizations/{org_id}/status")
async def change_status(
    scope: Annotated[OrgScope, Depends(guard.staff("tenancy.organization.change_status"))], body: NewStatus
) -> OrganizationView:
    """Suspend an organization, cancel it, or let it work again: for the platform's staff."""
    return OrganizationView.of(await usecases.change_status(scope, body.status, body.reason))
