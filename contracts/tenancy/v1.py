"""Events of the tenancy service, version 1."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Denial, KeyUse
from contracts.common import (
    MAX_OVERRIDES,
    CredentialName,
    InvitationId,
    OrgId,
    OrgStatus,
    PermissionName,
    Plan,
    Role,
    UserId,
)
from contracts.event import Event, Secret


class OrganizationState(BaseModel):
    """All that other services may know of an organization, as it is at the event's aggregate version. Every event that
    changes any of it carries all of it, so that the newest alone tells what is."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    allowed_origins: list[str]
    """The web origins (RFC 6454) whose pages may call the API for its members."""


class OrganizationCreated(Event, type="tenancy.organization.created.v1", subject="org_id"):
    """An organization exists; its creator is its owner. Audit keeps it."""

    org_id: OrgId
    slug: str
    name: str
    plan: Plan
    owner_id: UserId
    personal: bool
    """Made at sign-up for one person alone."""
    organization: OrganizationState | None = None


class PlanChanged(Event, type="tenancy.organization.plan_changed.v1", subject="org_id"):
    """An organization has another plan, and with it other limits. Files and audit follow it."""

    org_id: OrgId
    previous_plan: Plan
    plan: Plan
    organization: OrganizationState | None = None


class OrganizationChanged(Event, type="tenancy.organization.changed.v1", subject="org_id"):
    """An organization has another name or other settings. Every service keeps the newest state; audit keeps all."""

    org_id: OrgId
    organization: OrganizationState
    previous_organization: OrganizationState


class OrganizationStatusChanged(Event, type="tenancy.organization.status_changed.v1", subject="org_id"):
    """The platform's staff suspended an organization, cancelled it, or let it work again. From now on its members get
    403 in every service, or no longer."""

    org_id: OrgId
    previous_status: OrgStatus
    status: OrgStatus
    reason: str
    organization: OrganizationState


class InvitationCreated(Event, type="tenancy.invitation.created.v1", subject="invitation_id"):
    """A person was invited. Notify sends them the e-mail with the token.

    The token works once, until `expires_at`, and only for a signed-in person with this confirmed address.
    """

    invitation_id: InvitationId
    email: str
    role: Role
    org_name: str
    inviter_id: UserId
    inviter_name: str
    token: Annotated[str, Secret()]
    expires_at: datetime


class InvitationAccepted(Event, type="tenancy.invitation.accepted.v1", subject="invitation_id"):
    """The invited person said yes; `tenancy.member.added.v1` goes with it. Audit keeps it."""

    invitation_id: InvitationId
    email: str
    user_id: UserId


class InvitationDeclined(Event, type="tenancy.invitation.declined.v1", subject="invitation_id"):
    """The invited person said no; their seat is free again. Audit keeps it."""

    invitation_id: InvitationId
    email: str


class InvitationRevoked(Event, type="tenancy.invitation.revoked.v1", subject="invitation_id"):
    """The invitation was taken back; its token works no more and its seat is free. Audit keeps it."""

    invitation_id: InvitationId
    email: str


Overrides = Annotated[list[PermissionName], Field(max_length=MAX_OVERRIDES)]
"""Operations that a membership may, or may not, whatever its role. Every event of a membership carries all of them."""


class MemberAdded(Event, type="tenancy.member.added.v1", subject="user_id"):
    """A user belongs to an organization, with a role. The aggregate is the membership: each service with people in
    it keeps a projection of these, and identity puts them into tokens."""

    user_id: UserId
    email: str
    name: str
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberRoleChanged(Event, type="tenancy.member.role_changed.v1", subject="user_id"):
    """A member has another role, from now on and in every service."""

    user_id: UserId
    email: str
    name: str
    previous_role: Role
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberPermissionsChanged(Event, type="tenancy.member.permissions_changed.v1", subject="user_id"):
    """A member may, or may not, other operations than their role says, from now on and in every service."""

    user_id: UserId
    email: str
    name: str
    role: Role
    previous_grants: Overrides = Field(default_factory=list)
    grants: Overrides = Field(default_factory=list)
    previous_denies: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberRemoved(Event, type="tenancy.member.removed.v1", subject="user_id"):
    """A member is out: their tokens for this organization stop working everywhere."""

    user_id: UserId
    email: str
    name: str
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class CredentialStored(Event, type="tenancy.credential.stored.v1", subject="name"):
    """An organization entrusted us with a credential of another platform, or with another secret for it. The secret is
    in no event. Audit keeps it."""

    name: CredentialName
    platform: str


class CredentialRotated(Event, type="tenancy.credential.rotated.v1", subject="name"):
    """The same secret is sealed by a newer data key. Audit keeps it."""

    name: CredentialName
    platform: str


class CredentialRemoved(Event, type="tenancy.credential.removed.v1", subject="name"):
    """A credential and its secret are gone. Audit keeps it."""

    name: CredentialName
    platform: str


class AccessDenied(Denial, Event, type="tenancy.access.denied.v1", subject="actor_id"):
    """Somebody was refused by tenancy in their own organization. Audit keeps it."""


class ApiKeyUsed(KeyUse, Event, type="tenancy.api_key.used.v1", subject="key_id"):
    """A program used its API key in tenancy. Identity shows when a key was last used; audit keeps it."""
