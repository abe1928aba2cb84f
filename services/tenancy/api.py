"""The routes of tenancy, feature by feature."""

from fastapi import APIRouter

from services.tenancy.credentials.api import router as credentials
from services.tenancy.invitations.api import router as invitations
from services.tenancy.members.api import router as members
from services.tenancy.onboarding.api import router as onboarding
from services.tenancy.organizations.api import router as organizations
from services.tenancy.plans.api import router as plans

router = APIRouter(
    routes=[
        *onboarding.routes,
        *organizations.routes,
        *plans.routes,
        *members.routes,
        *invitations.routes,
        *credentials.routes,
    ]
)
