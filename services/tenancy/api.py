"""HTTP: parse, authorize, call, render."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from chassis.auth.guard import Guard, SignedIn
from chassis.context import OrgScope
from chassis.http.patches import MergePatch
from chassis.http.route import Route
from chassis.repository import Page, PageRequest
from chassis.vault import MAX_SECRET_BYTES
from contracts.common import (
    MAX_OVERRIDES,
    CredentialName,
    InvitationId,
    Operation,
    OrgId,
    OrgStatus,
    Plan,
    Role,
    UserId,
)
from services.tenancy.model import Credential, Invitation, InvitationStatus, Membership, MyOrganization, Organization
from services.tenancy.origins import Origins
from services.tenancy.permissions import PERMISSIONS
from services.tenancy.usecases import answers, credentials, invitations, members, organizations
from services.tenancy.usecases.invitations import Row, RowResult
from services.tenancy.usecases.overrides import CHANGE_PERMISSIONS
from services.tenancy.usecases.overrides import change_permissions as change_overrides

MAX_ROWS = 500

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)
guard = Guard(PERMISSIONS)

Paged = Annotated[PageRequest, Depends()]


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
    grants: list[Operation] = Field(max_length=MAX_OVERRIDES)
    denies: list[Operation] = Field(max_length=MAX_OVERRIDES)


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


@router.post("/organizations", status_code=201)
async def create_organization(scope: SignedIn, body: NewOrganization) -> OrganizationView:
    """An organization of one's own; 409 if the slug is taken."""
    return OrganizationView.of(await organizations.create(scope, body.name, body.slug))


@router.get("/organizations")
async def list_organizations(scope: SignedIn, page: Paged) -> Page[MyOrganization]:
    """Where one is a member, and with which role."""
    return await organizations.list_mine(scope, page)


@router.get("/organizations/{org_id}")
async def read_organization(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.read", while_suspended=True))],
) -> OrganizationView:
    """One organization, for its members."""
    return OrganizationView.of(await organizations.read(scope))


@router.patch("/organizations/{org_id}")
async def change_organization(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.change"))], body: OrganizationChange
) -> OrganizationView:
    """Another name, other settings; what is left out stays."""
    return OrganizationView.of(await organizations.change(scope, body.wanted()))


@router.put("/organizations/{org_id}/status")
async def change_status(
    scope: Annotated[OrgScope, Depends(guard.staff("tenancy.organization.change_status"))], body: NewStatus
) -> OrganizationView:
    """Suspend an organization, cancel it, or let it work again: for the platform's staff."""
    return OrganizationView.of(await organizations.change_status(scope, body.status, body.reason))


@router.put("/organizations/{org_id}/plan")
async def change_plan(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.organization.change_plan"))], body: NewPlan
) -> OrganizationView:
    """Another plan, and with it other limits; 409 if more is in use than it allows."""
    return OrganizationView.of(await organizations.change_plan(scope, body.plan))


@router.get("/organizations/{org_id}/members")
async def list_members(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.member.list"))], page: Paged
) -> Page[MemberView]:
    """Who belongs to it now."""
    found = await members.list_members(scope, page)
    return Page(items=[MemberView.of(member) for member in found.items], next=found.next)


@router.patch("/organizations/{org_id}/members/{user_id}")
async def change_role(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.member.change_role"))],
    user_id: UserId,
    body: MemberChange,
) -> MemberView:
    """Another role, not above one's own; 409 if no owner would be left."""
    return MemberView.of(await members.change_role(scope, user_id, body.changes().get("role")))


@router.put("/organizations/{org_id}/members/{user_id}/permissions")
async def change_permissions(
    scope: Annotated[OrgScope, Depends(guard.in_path(CHANGE_PERMISSIONS))], user_id: UserId, body: NewPermissions
) -> MemberView:
    """What the member may, and may not, whatever their role says: all of it, replacing what was."""
    return MemberView.of(await change_overrides(scope, user_id, body.grants, body.denies))


@router.delete("/organizations/{org_id}/members/{user_id}", status_code=204)
async def remove_member(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.member.leave", sometimes=[members.REMOVE]))],
    user_id: UserId,
) -> None:
    """Remove a member (as an admin), or leave oneself; 409 if no owner would be left."""
    await members.remove(scope, user_id)


@router.post("/organizations/{org_id}/invitations", status_code=201)
async def invite(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.create"))], body: NewInvitation
) -> InvitationView:
    """Invite an address. The token goes to that address by e-mail, and nowhere else."""
    return InvitationView.of(await invitations.invite(scope, body.email, body.role))


@router.post("/organizations/{org_id}/invitations/bulk", response_model_exclude_none=True)
async def invite_many(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.create"))], body: NewInvitations
) -> BulkResult:
    """Invite many addresses: one result for each row, in order."""
    rows = [Row(email=each.email, role=each.role) for each in body.invitations]
    results = await invitations.invite_all(scope, rows)
    invited = sum(result.status == "invited" for result in results)
    return BulkResult(results=results, invited=invited, refused=len(results) - invited)


@router.get("/organizations/{org_id}/invitations")
async def list_invitations(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.list"))], page: Paged
) -> Page[InvitationView]:
    """All invitations, the newest first."""
    found = await invitations.list_invitations(scope, page)
    return Page(items=[InvitationView.of(each) for each in found.items], next=found.next)


@router.delete("/organizations/{org_id}/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.revoke"))], invitation_id: InvitationId
) -> None:
    """Take an invitation back; 409 if it was answered."""
    await invitations.revoke(scope, invitation_id)


@router.post("/invitations/accept")
async def accept_invitation(scope: SignedIn, body: Token) -> Joined:
    """Become a member. The token is only good for the invited address."""
    return Joined.of(await answers.accept(scope, body.token))


@router.post("/invitations/decline", status_code=204)
async def decline_invitation(scope: SignedIn, body: Token) -> None:
    """Say no. The token is only good for the invited address."""
    await answers.decline(scope, body.token)


@router.post("/organizations/{org_id}/credentials", status_code=201)
async def store_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.store"))], body: NewCredential
) -> CredentialView:
    """Entrust us with a credential of another platform; 409 if there is one of that name."""
    return CredentialView.of(await credentials.store(scope, body.name, body.platform, body.secret))


@router.put("/organizations/{org_id}/credentials/{credential_name}")
async def replace_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.store"))],
    credential_name: CredentialName,
    body: ChangedCredential,
) -> CredentialView:
    """Another secret in its place."""
    return CredentialView.of(await credentials.replace(scope, credential_name, body.platform, body.secret))


@router.get("/organizations/{org_id}/credentials")
async def list_credentials(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.list"))], page: Paged
) -> Page[CredentialView]:
    """Which there are. Their secrets are never shown."""
    found = await credentials.list_credentials(scope, page)
    return Page(items=[CredentialView.of(each) for each in found.items], next=found.next)


@router.delete("/organizations/{org_id}/credentials/{credential_name}", status_code=204)
async def remove_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.remove"))], credential_name: CredentialName
) -> None:
    """Forget a credential and its secret."""
    await credentials.remove(scope, credential_name)


@router.post("/organizations/{org_id}/credentials/rotation")
async def rotate_credentials(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.rotate"))],
) -> Rotated:
    """Seal every credential by a new key, as after a suspicion."""
    return Rotated(credentials=await credentials.rotate(scope))
