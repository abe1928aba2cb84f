"""Tenancy: organizations, who belongs to them, and who is invited. Its memberships are the truth for all others."""

from chassis.declare.service import Service, TableSpec
from chassis.tenants.vault import KeyService
from contracts.tenancy import v1 as tenancy
from services.tenancy.ports import TokenSource

service = Service(
    "tenancy",
    api="services.tenancy.api:router",
    table=TableSpec(indexes=2),
    subscriptions=("services.tenancy.consumers:users",),
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
    ports={TokenSource: "services.tenancy.tokens:make_tokens", KeyService: "chassis.aws.kms:make_keys"},
    resources="services.tenancy.stack:resources",
)
