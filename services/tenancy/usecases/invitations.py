"""Invitations from the inviting side: one, many, and taken back."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from chassis.errors import FieldError, Invalid, Rejected
from chassis.work.idempotency_claims import AlreadyAnswered
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.model import (
    INVITATION_LASTS,
    Invitation,
    InvitationStatus,
    address,
    check_gives,
    folded,
)
from services.tenancy.ports import TokenSource
from services.tenancy.repository import INVITATIONS, Invitations, Memberships, Organizations, Seats
from services.tenancy.usecases.expiry import with_expired_released
from services.tenancy.usecases.trying import again_if_stale, for_each

INVITE = "tenancy.invitation.create"
NO_ADDRESS = "This is no e-mail address."


class Row(BaseModel):
    """Whom to invite, as somebody wrote it down."""

    email: str
    role: str


class RowResult(BaseModel):
    """What became of a row, counted from 1; `reason` says why it was refused."""

    row: int
    email: str
    status: Literal["invited", "refused"]
    invitation_id: str | None = None
    reason: str | None = None


async def invite(scope: OrgScope, email: str, role: Role) -> Invitation:
    """Raises Invalid, RoleTooHigh, AlreadyExists (a member, or invited) or LimitReached."""
    check_gives(scope.actor.role, role, INVITE)
    to = address(email)
    if to is None:
        raise Invalid(NO_ADDRESS, [FieldError("body.email", NO_ADDRESS)])
    return await _offer(scope, to, role)


async def invite_all(scope: OrgScope, rows: Sequence[Row]) -> list[RowResult]:
    """Each row by itself: what is wrong with one keeps none of the others. Raises only what concerns all of them."""
    # The key stands for these rows from here on: each is a step of the request, and they end one by one.
    await scope.unit_of_work().commit()
    seen: dict[str, int] = {}
    numbered = [(at, row, seen.setdefault(folded(row.email), at)) for at, row in enumerate(rows, start=1)]

    async def invited(each: tuple[int, Row, int]) -> RowResult:
        at, row, first = each
        try:
            invitation = await _offer_row(scope, row, step=f"row{at}", repeats=first if first < at else None)
        except AlreadyAnswered as before:
            invitation = Invitation.model_validate(before.item["result"])
        except Rejected as error:
            return RowResult(row=at, email=row.email, status="refused", reason=error.detail)
        return RowResult(row=at, email=row.email, status="invited", invitation_id=invitation.id)

    return await for_each(numbered, invited)


async def _offer_row(scope: OrgScope, row: Row, *, step: str, repeats: int | None) -> Invitation:
    to = address(row.email)
    if to is None:
        raise Rejected(NO_ADDRESS)
    if repeats is not None:
        raise Rejected(f"The same address stands in row {repeats}.")
    if row.role not in set(Role):
        raise Rejected(f"There is no role {row.role!r}; use one of {', '.join(Role)}.")
    role = Role(row.role)
    check_gives(scope.actor.role, role, INVITE)
    return await _offer(scope, to, role, step=step)


async def _offer(scope: OrgScope, email: str, role: Role, *, step: str = "") -> Invitation:
    invitations, invitation_id = Invitations(scope), scope.new_id("inv")

    async def change() -> Invitation:
        organization = await Organizations(scope).get(scope.org_id)
        unit, token = scope.unit_of_work(step=step), scope.port(TokenSource).new()
        Memberships(scope).require_no_member(unit, email)
        stored = invitations.open(unit, _made(scope, invitation_id, email, role), token)
        Organizations(scope).require_plan(unit, organization.id, organization.plan)
        Seats(scope).take(unit, organization.plan)
        created = tenancy.InvitationCreated(
            invitation_id=stored.id,
            email=stored.email,
            role=role,
            org_name=organization.name,
            inviter_id=stored.inviter_id,
            inviter_name=scope.actor.name or scope.actor.email or "",
            token=token,
            expires_at=stored.valid_until,
        )
        unit.publish(created, version=stored.version)
        return await unit.answer(stored)

    return await with_expired_released(scope, change, email=email)


def _made(scope: OrgScope, invitation_id: str, email: str, role: Role) -> Invitation:
    return Invitation(
        id=invitation_id,
        email=email,
        role=role,
        inviter_id=scope.actor.person_id,
        created_at=scope.now(),
        valid_until=scope.now() + INVITATION_LASTS,
    )


async def list_invitations(scope: OrgScope, request: PageRequest) -> Page[Invitation]:
    """All of them, answered or not, the newest first."""
    page = await Invitations(scope).page(INVITATIONS, request, descending=True)
    return Page(items=[each.as_of(scope.now()) for each in page.items], next=page.next)


async def revoke(scope: OrgScope, invitation_id: str) -> None:
    """Its token works no more and its seat is free. Nothing happens if it was revoked already.

    Raises NotFound, or InvitationClosed if it was answered.
    """
    invitations = Invitations(scope)

    async def change() -> None:
        invitation = await invitations.get(invitation_id)
        scope.require_match(invitation)
        if invitation.status is InvitationStatus.REVOKED:
            return
        unit = scope.unit_of_work()
        saved = invitations.close(unit, invitation.revoked())
        Seats(scope).free(unit)
        revoked = tenancy.InvitationRevoked(invitation_id=saved.id, email=saved.email)
        unit.publish(revoked, version=saved.version)
        await unit.answer(None)

    await again_if_stale(change)
