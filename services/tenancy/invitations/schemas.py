"""Request bodies and views of invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from chassis.http.schemas import RequestBody, Trimmed, View
from contracts.common import InvitationId, OrgId, Role, UserId
from services.tenancy.invitations.model import Acceptance, Invitation, InvitationStatus, RowOutcome

MAX_ROWS = 500


class NewInvitation(RequestBody):
    email: Annotated[str, Trimmed, Field(min_length=1, max_length=320)]
    role: Role


class InvitationRow(RequestBody):
    """Taken as it is: a mistake in it refuses the row, not the request."""

    email: str = Field(max_length=2000)
    role: str = Field(max_length=2000)


class NewInvitations(RequestBody):
    invitations: list[InvitationRow] = Field(min_length=1, max_length=MAX_ROWS)


class InvitationToken(RequestBody):
    token: Annotated[str, Trimmed, Field(min_length=1, max_length=200)]


class InvitationView(View):
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


class RowResult(View):
    """The outcome of a row, counted from 1; `reason` says why it was refused."""

    row: int
    email: str
    status: Literal["invited", "refused"]
    invitation_id: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, outcome: RowOutcome) -> Self:
        return cls(
            row=outcome.row,
            email=outcome.email,
            status="refused" if outcome.invitation_id is None else "invited",
            invitation_id=outcome.invitation_id,
            reason=outcome.reason,
        )


class BulkResult(View):
    results: list[RowResult]
    invited: int
    refused: int

    @classmethod
    def of(cls, outcomes: Sequence[RowOutcome]) -> Self:
        results = [RowResult.of(outcome) for outcome in outcomes]
        invited = sum(result.status == "invited" for result in results)
        return cls(results=results, invited=invited, refused=len(results) - invited)


class JoinedOrganization(View):
    org_id: OrgId
    role: Role

    @classmethod
    def of(cls, acceptance: Acceptance) -> Self:
        return cls(org_id=acceptance.org_id, role=acceptance.role)
