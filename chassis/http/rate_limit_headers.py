"""Rate limits over HTTP: each request of a member, a program or a person counts, and each answer says what is left.

Only callers who belong to an organization count towards its limit, also when they are then refused: strangers cannot
use it up, and members cannot hammer a closed door for free.
"""

from collections.abc import Awaitable

from fastapi import Request

from chassis.http.headers import NOTES
from chassis.http.state import api_state_of
from chassis.tenants.organizations import OrganizationProfile
from chassis.tenants.rate_limit import Allowance, RateLimited
from chassis.work.scope import OrgScope, UserScope
from contracts.common import Plan


async def charge_rate_limit(request: Request, scope: OrgScope, organization: OrganizationProfile | None) -> None:
    """Count a request of somebody who belongs to the organization, by its plan. Raises RateLimited."""
    plan = Plan.FREE if organization is None else organization.plan
    api_key = scope.actor.id if scope.actor.holder_id else None
    await _note(request, api_state_of(request).rate_limiter.acquire(scope, plan, api_key))


async def charge_person(request: Request, scope: UserScope) -> None:
    """Count a request to a route that asks for no organization. Raises RateLimited."""
    await _note(request, api_state_of(request).rate_limiter.acquire_for_person(scope))


async def _note(request: Request, acquisition: Awaitable[Allowance]) -> None:
    notes: dict[str, str] = getattr(request.state, NOTES)
    try:
        allowance = await acquisition
    except RateLimited as refused:
        notes |= refused.allowance.headers()
        raise
    notes |= allowance.headers()
