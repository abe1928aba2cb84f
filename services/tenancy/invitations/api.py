"""Routes of invitations: those of the organization, and those of the invited person."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.guard import SignedIn
from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import InvitationId
from services.tenancy.invitations.model import Row
from services.tenancy.invitations.schemas import (
    BulkResult,
    InvitationToken,
    InvitationView,
    JoinedOrganization,
    NewInvitation,
    NewInvitations,
)
from services.tenancy.invitations.usecases import answers, offers
from services.tenancy.permissions import guard

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.post("/organizations/{org_id}/invitations", status_code=201)
async def invite(
    scope: Annotated[OrgScope, Depends(guard.in_path(offers.INVITE))], body: NewInvitation
) -> InvitationView:
    """Invite an address. The token is sent to that address by e-mail, and nowhere else."""
    return InvitationView.of(await offers.invite(scope, body.email, body.role))


@router.post("/organizations/{org_id}/invitations/bulk", response_model_exclude_none=True)
async def invite_many(
    scope: Annotated[OrgScope, Depends(guard.in_path(offers.INVITE))], body: NewInvitations
) -> BulkResult:
    """Invite many addresses: one result per row, in the order of the rows."""
    rows = [Row(row.email, row.role) for row in body.invitations]
    return BulkResult.of(await offers.invite_all(scope, rows))


@router.get("/organizations/{org_id}/invitations")
async def list_invitations(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.list"))], page: Paged
) -> Page[InvitationView]:
    """List all invitations, the newest first."""
    return (await offers.list_invitations(scope, page)).map(InvitationView.of)


@router.delete("/organizations/{org_id}/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.invitation.revoke"))], invitation_id: InvitationId
) -> None:
    """Take an invitation back. 409 if it was answered."""
    await offers.revoke(scope, invitation_id)


@router.post("/invitations/accept")
async def accept_invitation(scope: SignedIn, body: InvitationToken) -> JoinedOrganization:
    """Accept an invitation and become a member. The token is only good for the invited address."""
    return JoinedOrganization.of(await answers.accept(scope, body.token))


@router.post("/invitations/decline", status_code=204)
async def decline_invitation(scope: SignedIn, body: InvitationToken) -> None:
    """Decline an invitation. The token is only good for the invited address."""
    await answers.decline(scope, body.token)
