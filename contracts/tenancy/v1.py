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
    """The state of an organization that other services may know, at the event's aggregate version.

    Every event that changes a part of the state has all of it, so that the newest event is enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    allowed_origins: list[str]
    """The web origins (RFC 6454) whose pages may call the API for its members."""


class OrganizationCreated(Event, type="tenancy.organization.created.v1", subject="org_id"):
    """An organization was created; its creator is its owner. Audit records it."""

    org_id: OrgId
    slug: str
    name: str
    plan: Plan
    owner_id: UserId
    personal: bool
    """Whether it was created at sign-up for one person only."""
    organization: OrganizationState | None = None


class PlanChanged(Event, type="tenancy.organization.plan_changed.v1", subject="org_id"):
    """The plan of an organization changed, and with it its limits. Files applies them; audit records it."""

    org_id: OrgId
    previous_plan: Plan
    plan: Plan
    organization: OrganizationState | None = None


class OrganizationChanged(Event, type="tenancy.organization.changed.v1", subject="org_id"):
    """The name or settings of an organization changed. Services keep the newest state; audit records each change."""

    org_id: OrgId
    organization: OrganizationState
    previous_organization: OrganizationState


class OrganizationStatusChanged(Event, type="tenancy.organization.status_changed.v1", subject="org_id"):
    """The platform's staff suspended, cancelled or reactivated an organization.

    While it is suspended or cancelled, its members get 403 in every service.
    """

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
    """The invited person accepted; `tenancy.member.added.v1` is published with it. Audit records it."""

    invitation_id: InvitationId
    email: str
    user_id: UserId


class InvitationDeclined(Event, type="tenancy.invitation.declined.v1", subject="invitation_id"):
    """The invited person declined; their seat is free again. Audit records it."""

    invitation_id: InvitationId
    email: str


class InvitationRevoked(Event, type="tenancy.invitation.revoked.v1", subject="invitation_id"):
    """An invitation was revoked: its token no longer works, and its seat is free. Audit records it."""

    invitation_id: InvitationId
    email: str


Overrides = Annotated[list[PermissionName], Field(max_length=MAX_OVERRIDES)]
"""Permissions granted or denied to a membership, whatever its role. Every event of the membership has all of them."""


class MemberAdded(Event, type="tenancy.member.added.v1", subject="user_id"):
    """A user became a member of an organization, with a role.

    The aggregate is the membership. Each service with an API keeps a projection of memberships, and identity puts them
    into tokens.
    """

    user_id: UserId
    email: str
    name: str
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberRoleChanged(Event, type="tenancy.member.role_changed.v1", subject="user_id"):
    """The role of a member changed, in every service."""

    user_id: UserId
    email: str
    name: str
    previous_role: Role
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberPermissionsChanged(Event, type="tenancy.member.permissions_changed.v1", subject="user_id"):
    """The permissions granted or denied to a member, in addition to their role, changed in every service."""

    user_id: UserId
    email: str
    name: str
    role: Role
    previous_grants: Overrides = Field(default_factory=list)
    grants: Overrides = Field(default_factory=list)
    previous_denies: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class MemberRemoved(Event, type="tenancy.member.removed.v1", subject="user_id"):
    """A member was removed: their tokens for this organization stop working everywhere."""

    user_id: UserId
    email: str
    name: str
    role: Role
    grants: Overrides = Field(default_factory=list)
    denies: Overrides = Field(default_factory=list)


class CredentialStored(Event, type="tenancy.credential.stored.v1", subject="name"):
    """An organization stored a credential for another platform, or a new secret for one. No event has the secret.

    Audit records it.
    """

    name: CredentialName
    platform: str


class CredentialRotated(Event, type="tenancy.credential.rotated.v1", subject="name"):
    """The secret of a credential was encrypted again under a newer data key. Audit records it."""

    name: CredentialName
    platform: str


class CredentialRemoved(Event, type="tenancy.credential.removed.v1", subject="name"):
    """A credential and its secret were removed. Audit records it."""

    name: CredentialName
    platform: str


class AccessDenied(Denial, Event, type="tenancy.access.denied.v1", subject="actor_id"):
    """The tenancy service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="tenancy.api_key.used.v1", subject="key_id"):
    """A program used its API key in the tenancy service. Identity shows the last use of the key; audit records it."""
