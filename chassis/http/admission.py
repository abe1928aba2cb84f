"""Admission: in which order a request is checked. Each function below, read from top to bottom, is the policy.

The order is security. Membership comes first in an organization, since a stranger must neither learn more nor use up
the organization's rate limit. The origin comes before any refusal that the page should be able to read. From the rate
limit on, refused requests have been counted, so nobody hammers a closed door for free. A repeated request is replayed
last: whoever may no longer do a thing does not get its earlier answer either.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from fastapi import Request

from chassis.auth.access import Access
from chassis.errors import OrganizationSuspended, StaffOnly
from chassis.http.conditions import precondition_of
from chassis.http.cors import check_origin
from chassis.http.idempotency import idempotency_claim_for, replay_if_known
from chassis.http.queries import refuse_unknown_query
from chassis.http.rate_limit_headers import charge_person, charge_rate_limit
from chassis.tenants.organizations import OrganizationProfile
from chassis.work.context import Actor
from chassis.work.scope import OrgScope, Scope, UserScope

S = TypeVar("S", bound=Scope)
ActorResolver = Callable[[OrgScope], Awaitable[tuple[Actor, OrganizationProfile | None]]]
"""The actor in the scope's organization, with role and permissions, and the organization as this service knows it.
Raises MembershipEnded, NotFound or Unauthenticated for a stranger (`chassis.http.actor_resolvers`)."""


async def admit(request: Request, scope: OrgScope, access: Access, resolve: ActorResolver) -> OrgScope:
    """A request in an organization: the scope in which it is carried out. Raises the first check's error that fails."""
    assert access.operation is not None
    assert access.role is not None
    actor, organization = await resolve(scope)
    scope = replace(scope, actor=actor)
    audit_refusals(request, scope, access.operation)
    await check_origin(request, scope)
    await charge_rate_limit(request, scope, organization)
    if organization is not None and not organization.status.operates and not access.while_suspended:
        raise OrganizationSuspended(access.operation, organization.status)
    scope.actor.require(access.operation, access.role)
    refuse_unknown_query(request)
    scope = _carried_out_once(request, scope)
    await replay_if_known(request, scope)
    return scope


async def admit_person(request: Request, scope: UserScope) -> UserScope:
    """A request of a signed-in person that concerns no organization, or the one of their token."""
    await check_origin(request, scope.for_org(scope.active_org) if scope.active_org else None)
    await charge_person(request, scope)
    refuse_unknown_query(request)
    scope = _carried_out_once(request, scope)
    audit_refusals(request, scope)
    await replay_if_known(request, scope)
    return scope


async def admit_staff(
    request: Request, mine: UserScope, scope: OrgScope, operation: str, *, is_staff: bool
) -> OrgScope:
    """A request of the platform's staff in any organization. There is one answer to everybody else, whether or not the
    organization exists; `mine` is the scope whose trail records that refusal. Raises StaffOnly."""
    if not is_staff:
        audit_refusals(request, mine, operation)
        raise StaffOnly(operation)
    await check_origin(request, None)
    refuse_unknown_query(request)
    scope = _carried_out_once(request, scope)
    await replay_if_known(request, scope)
    return scope


async def admit_anybody(request: Request) -> None:
    """A request to a public route, such as signing in. Its use case limits it by address and by account."""
    await check_origin(request, None)
    refuse_unknown_query(request)


def audit_refusals(request: Request, scope: Scope, operation: str | None = None) -> None:
    """Let a refusal from here on be recorded as one of the scope's actor, in the scope's audit trail."""
    request.state.answered_for = scope, operation


def _carried_out_once(request: Request, scope: S) -> S:
    """The scope with the request's Idempotency-Key and If-Match: carried out once, and only on the version meant."""
    cause = replace(scope.cause, claim=idempotency_claim_for(request, scope), precondition=precondition_of(request))
    return replace(scope, cause=cause)
