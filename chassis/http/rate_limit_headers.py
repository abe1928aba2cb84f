"""Rate limits over HTTP: each request of a member, a program or a person counts, and each answer says what is left.

Counted in an organization is who is known to belong to it, also when they are then refused: strangers cannot use up an
organization's allowance, and members cannot hammer a closed door for free.
"""

from collections.abc import Awaitable

from fastapi import Request

from chassis.http.headers import NOTES
from chassis.tenants.rate_limit import Allowance, RateLimited, spend, spend_of_person
from chassis.work.context import OrgScope, UserScope
from contracts.common import Plan


async def count(request: Request, scope: OrgScope, plan: Plan) -> None:
    """Called by the guard once it knows that the caller belongs here. Raises RateLimited."""
    await _noted(request, spend(scope, plan, scope.actor.id if scope.actor.holder_id else None))


async def count_of_person(request: Request, scope: UserScope) -> None:
    """For the routes that ask for no organization. Raises RateLimited."""
    await _noted(request, spend_of_person(scope))


async def _noted(request: Request, spending: Awaitable[Allowance]) -> None:
    notes: dict[str, str] = getattr(request.state, NOTES)
    try:
        allowance = await spending
    except RateLimited as refused:
        notes |= refused.allowance.headers()
        raise
    notes |= allowance.headers()
