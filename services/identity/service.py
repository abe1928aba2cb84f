"""Identity: users, their sign-in, the organization that their tokens name, and the API keys of programs."""

from chassis.declare.service import Service, TableSpec
from contracts.identity import v1 as identity
from services.identity.ports import IdentityProvider, SecretSource

service = Service(
    "identity",
    api="services.identity.api:router",
    table=TableSpec(indexes=1),
    subscriptions=("services.identity.memberships.consumers:memberships",),
    publishes=(
        identity.AccessDenied,
        identity.ActiveOrgSwitched,
        identity.ApiKeyCreated,
        identity.ApiKeyRevoked,
        identity.ApiKeyRotated,
        identity.ApiKeyUsed,
        identity.SignInFailed,
        identity.UserRegistered,
        identity.UserSignedIn,
    ),
    ports={
        IdentityProvider: "services.identity.adapters.provider:make_provider",
        SecretSource: "services.identity.adapters.secret_source:make_secrets",
    },
    resources="services.identity.stack:resources",
)
