"""What the API takes and what it shows."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from chassis.http.patches import MergePatch
from chassis.tenants.vault import MAX_SECRET_BYTES
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
from services.tenancy.model import Credential, Invitation, InvitationStatus, Membership, Organization
from services.tenancy.origins import Origins
from services.tenancy.usecases.invitations import RowResult

MAX_ROWS = 500


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NewOrganization(Body):
    name: str = Field(min_length=1, max_length=100)
    slug: str = Field(pattern=r"^[a-z0-9-]{3,40}$")


class SettingsChange(MergePatch):
    """null is the value of a new organization."""

    allowed_origins: Origins | None = None


class OrganizationChange(MergePatch):
    name: str = Field(default="", min_length=1, max_length=100)
    settings: SettingsChange = Field(default_factory=SettingsChange)

    def wanted(self) -> dict[str, Any]:
        """The fields of an organization that it names."""
        changes = self.changes()
        settings = changes.pop("settings", {})
        return changes | {name: tuple(value or ()) for name, value in settings.items()}


class NewPlan(Body):
    plan: Plan


class MemberChange(MergePatch):
    role: Role = Role.VIEWER


class NewStatus(Body):
    status: Literal[OrgStatus.ACTIVE, OrgStatus.SUSPENDED, OrgStatus.CANCELLED]
    reason: str = Field(min_length=1, max_length=500)


class NewPermissions(Body):
    grants: list[PermissionName] = Field(max_length=MAX_OVERRIDES)
    denies: list[PermissionName] = Field(max_length=MAX_OVERRIDES)


class NewInvitation(Body):
    email: str = Field(min_length=1, max_length=320)
    role: Role


class InvitationRow(BaseModel):
    """Taken as it is: what is wrong with it is the row's refusal, not the request's."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=2000)
    role: str = Field(max_length=2000)


class NewInvitations(Body):
    invitations: list[InvitationRow] = Field(min_length=1, max_length=MAX_ROWS)


class Token(Body):
    token: str = Field(min_length=1, max_length=200)


class ChangedCredential(Body):
    platform: str = Field(min_length=1, max_length=100)
    secret: str = Field(min_length=1, max_length=MAX_SECRET_BYTES // 4)


class NewCredential(ChangedCredential):
    name: CredentialName


class SettingsView(BaseModel):
    allowed_origins: list[str]


class OrganizationView(BaseModel):
    id: OrgId
    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    status_reason: str | None = None
    settings: SettingsView
    personal: bool
    owner_id: UserId
    version: int
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> Self:
        settings = SettingsView(allowed_origins=list(organization.allowed_origins))
        values = organization.model_dump(exclude={"owners", "allowed_origins"})
        return cls(settings=settings, owner_id=organization.owner_id, **values)


class MemberView(BaseModel):
    user_id: UserId
    email: str
    name: str
    role: Role
    grants: list[str]
    denies: list[str]
    version: int

    @classmethod
    def of(cls, member: Membership) -> Self:
        return cls(version=member.version, **member.told())


class InvitationView(BaseModel):
    id: InvitationId
    email: str
    role: Role
    status: InvitationStatus
    inviter_id: UserId
    created_at: datetime
    expires_at: datetime
    version: int

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            status=invitation.status,
            inviter_id=invitation.inviter_id,
            created_at=invitation.created_at,
            expires_at=invitation.valid_until,
            version=invitation.version,
        )


class BulkResult(BaseModel):
    results: list[RowResult]
    invited: int
    refused: int


class CredentialView(BaseModel):
    """Without its secret, which nobody is shown again."""

    name: CredentialName
    platform: str
    stored_by: UserId
    stored_at: datetime
    version: int

    @classmethod
    def of(cls, credential: Credential) -> Self:
        return cls.model_validate({"name": credential.id, **credential.model_dump(exclude={"id", "sealed"})})


class Rotated(BaseModel):
    credentials: int


class Joined(BaseModel):
    org_id: OrgId
    role: Role

    @classmethod
    def of(cls, accepted: tuple[OrgId, Invitation]) -> Self:
        org_id, invitation = accepted
        return cls(org_id=org_id, role=invitation.role)
