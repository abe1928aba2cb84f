"""The routes of tenancy, feature by feature."""

from chassis.http.route import combine_routers
from services.tenancy.credentials import api as credentials
from services.tenancy.invitations import api as invitations
from services.tenancy.members import api as members
from services.tenancy.onboarding import api as onboarding
from services.tenancy.organizations import api as organizations
from services.tenancy.plans import api as plans

router = combine_routers(
    onboarding.router, organizations.router, plans.router, members.router, invitations.router, credentials.router
)
