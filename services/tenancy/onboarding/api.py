"""The route by which people create organizations."""

from fastapi import APIRouter

from chassis.http.guard import SignedIn
from chassis.http.route import Route
from services.tenancy.onboarding import usecases
from services.tenancy.onboarding.schemas import NewOrganization
from services.tenancy.organizations.schemas import OrganizationView

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.post("/organizations", status_code=201)
async def create_organization(scope: SignedIn, body: NewOrganization) -> OrganizationView:
    """Create an organization that the caller owns. 409 if the slug is taken."""
    return OrganizationView.of(await usecases.create(scope, body.name, body.slug))
