"""Offers: invitations from the inviting side. They are made one by one or many at once, listed, and revoked."""

from collections.abc import Sequence

from chassis.errors import AlreadyAnswered, FieldError, Invalid, Rejected
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import Role
from services.tenancy.invitations.model import (
    INVITATION_LASTS,
    Invitation,
    InvitationStatus,
    Row,
    RowOutcome,
    parse_address,
)
from services.tenancy.invitations.repository import INVITATIONS, InvitationRepository
from services.tenancy.invitations.usecases.expiry import with_expired_released
from services.tenancy.members.model import check_can_give, normalize_address
from services.tenancy.members.repository import MembershipRepository
from services.tenancy.organizations.repository import OrganizationRepository, SeatCounter
from services.tenancy.ports import TokenSource

INVITE = "tenancy.invitation.create"
NOT_AN_ADDRESS = "This is not an e-mail address."


async def invite(scope: OrgScope, email: str, role: Role) -> Invitation:
    """Invite one address. Raises Invalid, RoleTooHigh, AlreadyExists (a member, or invited) or LimitReached."""
    check_can_give(scope.actor.role, role, INVITE)
    address = parse_address(email)
    if address is None:
        raise Invalid(NOT_AN_ADDRESS, [FieldError("body.email", NOT_AN_ADDRESS)])
    return await _offer(scope, address, role)


async def invite_all(scope: OrgScope, rows: Sequence[Row]) -> list[RowOutcome]:
    """Invite each row by itself: a mistake in one does not keep the others from being invited. Raises only errors that
    concern all of them."""
    # The idempotency key belongs to these rows from here on: each is a step of the request, and they end one by one.
    await scope.unit_of_work().commit()
    first_rows: dict[str, int] = {}
    numbered = [
        (number, row, first_rows.setdefault(normalize_address(row.email), number))
        for number, row in enumerate(rows, start=1)
    ]

    async def invite_row(item: tuple[int, Row, int]) -> RowOutcome:
        number, row, first = item
        try:
            invitation = await _offer_row(scope, row, step=f"row{number}", repeats=first if first < number else None)
        except AlreadyAnswered as before:
            invitation = Invitation.model_validate(before.item["result"])
        except Rejected as error:
            return RowOutcome(number, row.email, reason=error.detail)
        return RowOutcome(number, row.email, invitation.id)

    return await gather_bounded(numbered, invite_row)


async def _offer_row(scope: OrgScope, row: Row, *, step: str, repeats: int | None) -> Invitation:
    """Invite the address of a row. `repeats` is the number of an earlier row with the same address. Raises Rejected."""
    address = parse_address(row.email)
    if address is None:
        raise Rejected(NOT_AN_ADDRESS)
    if repeats is not None:
        raise Rejected(f"The same address is in row {repeats}.")
    if row.role not in set(Role):
        raise Rejected(f"There is no role {row.role!r}; use one of {', '.join(Role)}.")
    role = Role(row.role)
    check_can_give(scope.actor.role, role, INVITE)
    return await _offer(scope, address, role, step=step)


async def _offer(scope: OrgScope, email: str, role: Role, *, step: str = "") -> Invitation:
    invitations, organizations = InvitationRepository(scope), OrganizationRepository(scope)
    invitation_id = scope.new_id("inv")

    async def change() -> Invitation:
        organization = await organizations.get(scope.org_id)
        unit, token = scope.unit_of_work(step=step), scope.port(TokenSource).new()
        MembershipRepository(scope).require_no_member(unit, email)
        invitation = Invitation(
            id=invitation_id,
            email=email,
            role=role,
            inviter_id=scope.actor.person_id,
            created_at=scope.now(),
            valid_until=scope.now() + INVITATION_LASTS,
        )
        stored = invitations.open(unit, invitation, token)
        organizations.require_plan(unit, organization)
        SeatCounter(scope).reserve(unit, organization.plan)
        inviter_name = scope.actor.name or scope.actor.email or ""
        created = stored.created_event(token=token, org_name=organization.name, inviter_name=inviter_name)
        unit.publish(created, version=stored.version)
        return await unit.answer(stored)

    return await with_expired_released(scope, change, email=email)


async def list_invitations(scope: OrgScope, request: PageRequest) -> Page[Invitation]:
    """All invitations, answered or not, the newest first."""
    page = await InvitationRepository(scope).page(INVITATIONS, request, descending=True)
    return page.map(lambda invitation: invitation.as_of(scope.now()))


async def revoke(scope: OrgScope, invitation_id: str) -> None:
    """Take the invitation back: its token stops working and its seat is free. Nothing happens if it was revoked
    already.

    Raises NotFound, or InvitationClosed if it was answered.
    """
    invitations = InvitationRepository(scope)

    async def change() -> None:
        invitation = await invitations.get(invitation_id)
        scope.require_match(invitation)
        if invitation.status is InvitationStatus.REVOKED:
            return
        unit = scope.unit_of_work()
        saved = invitations.close(unit, invitation.revoke())
        SeatCounter(scope).release(unit)
        unit.publish(saved.revoked_event(), version=saved.version)
        await unit.answer(None)

    await retry_on_stale(change)
