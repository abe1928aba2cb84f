"""Invitations that ran out. Their seats are freed by whoever needs one, so that no clock has to run for it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.errors import LimitReached, Stale
from chassis.work.scope import OrgScope
from services.tenancy.errors import InvitationPending
from services.tenancy.model import Invitation, InvitationStatus
from services.tenancy.repository import Invitations, Seats
from services.tenancy.usecases.trying import again_if_stale, for_each

T = TypeVar("T")

AT_MOST = 100
"""Expired invitations that one request releases; the next one goes on."""


async def with_expired_released(scope: OrgScope, change: Callable[[], Awaitable[T]], *, email: str | None = None) -> T:
    """The outcome of `change`, tried again if all that stood in its way were invitations that had expired.

    `email` is the address that it invites, if it does.
    """
    for _ in range(2):
        try:
            return await again_if_stale(change)
        except LimitReached:
            if not await _release_some(scope):
                raise
        except InvitationPending:
            if email is None or not await _release_of(scope, email):
                raise
    return await again_if_stale(change)


async def _release_some(scope: OrgScope) -> bool:
    pending = await Invitations(scope).first_to_expire(AT_MOST)
    expired = [each for each in pending if _has_expired(scope, each)]
    await for_each(expired, lambda each: _release(scope, each))
    return bool(expired)


async def _release_of(scope: OrgScope, email: str) -> bool:
    pending = await Invitations(scope).pending_of(email)
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
    Invitations(scope).close(unit, invitation.expired())
    Seats(scope).free(unit)
    try:
        await unit.commit()
    except Stale:
        return  # somebody else released it, which is as good
