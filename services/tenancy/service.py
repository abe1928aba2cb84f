"""Tenancy: organizations, their members and their invitations. Its memberships are the truth for all other services."""

from chassis.declare.service import Service, TableSpec
from chassis.tenants.vault import KeyService
from contracts.tenancy import v1 as tenancy
from services.tenancy.ports import TokenSource

service = Service(
    "tenancy",
    api="services.tenancy.api:router",
    table=TableSpec(indexes=2),
    subscriptions=("services.tenancy.onboarding.consumers:users",),
    publishes=(
        tenancy.AccessDenied,
        tenancy.ApiKeyUsed,
        tenancy.OrganizationCreated,
        tenancy.OrganizationChanged,
        tenancy.OrganizationStatusChanged,
        tenancy.PlanChanged,
        tenancy.InvitationCreated,
        tenancy.InvitationAccepted,
        tenancy.InvitationDeclined,
        tenancy.InvitationRevoked,
        tenancy.MemberAdded,
        tenancy.MemberRoleChanged,
        tenancy.MemberPermissionsChanged,
        tenancy.MemberRemoved,
        tenancy.CredentialStored,
        tenancy.CredentialRotated,
        tenancy.CredentialRemoved,
    ),
    ports={TokenSource: "services.tenancy.adapters.tokens:make_tokens", KeyService: "chassis.aws.kms:make_keys"},
    resources="services.tenancy.stack:resources",
)
