"""Identity: who a user is, how they prove it, and which organization their tokens name."""

from chassis.service import Service, TableSpec
from contracts.identity.v1 import ActiveOrgSwitched, SignInFailed, UserRegistered, UserSignedIn
from services.identity.ports import IdentityProvider

service = Service(
    "identity",
    api="services.identity.api:router",
    table=TableSpec(indexes=0),
    subscriptions=("services.identity.consumers:memberships",),
    publishes=(ActiveOrgSwitched, SignInFailed, UserRegistered, UserSignedIn),
    ports={IdentityProvider: "services.identity.cognito:make_provider"},
    resources="services.identity.stack:resources",
)
