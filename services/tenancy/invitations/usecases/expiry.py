"""Expired invitations. Each request that needs a seat or an address releases them first, so no schedule has to."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.errors import LimitReached, Stale
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.work.scope import OrgScope
from services.tenancy.errors import InvitationPending
from services.tenancy.invitations.model import Invitation, InvitationStatus
from services.tenancy.invitations.repository import InvitationRepository
from services.tenancy.organizations.repository import SeatCounter

T = TypeVar("T")

MAX_RELEASED = 100
"""Expired invitations that are released at a time."""


async def with_expired_released(scope: OrgScope, change: Callable[[], Awaitable[T]], *, email: str | None = None) -> T:
    """The outcome of `change`. If seats or an address are missing and expired invitations hold them, those are released
    and `change` is repeated, at most twice.

    `email` is the address that `change` invites, if it invites one.
    """
    for _ in range(2):  # not a retry of the same attempt: each round removes an obstacle first
        try:
            return await retry_on_stale(change)
        except LimitReached:
            if not await _release_some(scope):
                raise
        except InvitationPending:
            if email is None or not await _release_of_address(scope, email):
                raise
    return await retry_on_stale(change)


async def _release_some(scope: OrgScope) -> bool:
    """Release expired invitations, at most MAX_RELEASED. False if there is none."""
    pending = await InvitationRepository(scope).first_to_expire(MAX_RELEASED)
    expired = [invitation for invitation in pending if _has_expired(scope, invitation)]
    await gather_bounded(expired, lambda invitation: _release(scope, invitation))
    return bool(expired)


async def _release_of_address(scope: OrgScope, email: str) -> bool:
    """Release the invitation of that address if it has expired. False if it has not."""
    pending = await InvitationRepository(scope).pending_of(email)
    if pending is None:
        return True
    if not _has_expired(scope, pending):
        return False
    await _release(scope, pending)
    return True


def _has_expired(scope: OrgScope, invitation: Invitation) -> bool:
    return invitation.status_at(scope.now()) is InvitationStatus.EXPIRED


async def _release(scope: OrgScope, invitation: Invitation) -> None:
    unit = scope.unit_of_work(claimed=False)
    InvitationRepository(scope).close(unit, invitation.expire())
    SeatCounter(scope).release(unit)
    try:
        await unit.commit()
    except Stale:
        return  # somebody else released it, which is as good
