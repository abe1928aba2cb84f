"""Rate limits over HTTP: each request of a member or a program counts, and each answer says what is left.

Counted is who is known to belong to the organization, also when they are then refused: strangers cannot use up an
organization's allowance, and members cannot hammer a closed door for free.
"""

from fastapi import Request

from chassis.context import OrgScope
from chassis.http.headers import NOTES
from chassis.limits import RateLimited, spend
from contracts.common import Plan


async def count(request: Request, scope: OrgScope, plan: Plan) -> None:
    """Called by the guard once it knows that the caller belongs here. Raises RateLimited."""
    notes: dict[str, str] = getattr(request.state, NOTES)
    try:
        allowance = await spend(scope, plan, scope.actor.id if scope.actor.holder_id else None)
    except RateLimited as refused:
        notes |= refused.allowance.headers()
        raise
    notes |= allowance.headers()
