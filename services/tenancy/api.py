"""HTTP: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.guard import Guard, SignedIn
from chassis.http.route import Route
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import CredentialName, InvitationId, UserId
from services.tenancy.model import MyOrganization
from services.tenancy.permissions import PERMISSIONS
from services.tenancy.shapes import (
    BulkResult,
    ChangedCredential,
    CredentialView,
    InvitationView,
    Joined,
    MemberChange,
    MemberView,
    NewCredential,
    NewInvitation,
    NewInvitations,
    NewOrganization,
    NewPermissions,
    NewPlan,
    NewStatus,
    OrganizationChange,
    OrganizationView,
    Rotated,
    Token,
)
from services.tenancy.usecases import answers, credentials, invitations, members, organizations
from services.tenancy.usecases.invitations import Row
from services.tenancy.usecases.overrides import CHANGE_PERMISSIONS
from services.tenancy.usecases.overrides import change_permissions as change_overrides

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)
guard = Guard(PERMISSIONS)

Paged = Annotated[PageRequest, Depends()]


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
