"""Guards: the dependency of every route that is not public. They turn a token into a scope, or refuse.

`guard = Guard(PERMISSIONS)` is made once a service from its one policy table; `guard("tasks.task.create")` fails when
the module is imported if the table has no such operation.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.auth.access import Access, gives
from chassis.auth.tokens import Claims, TokenVerifier
from chassis.context import Actor, Cause, OrgScope, Scope, Toolbox, UserScope
from chassis.errors import MembershipEnded, NotFound, OrganizationSuspended, StaffOnly, Unauthenticated
from chassis.http.conditions import precondition_of
from chassis.http.cors import check_origin
from chassis.http.idempotency import claim_for, replay_if_known
from chassis.http.queries import refuse_unknown_query
from chassis.members import Standing, standing_of
from contracts.common import OrgId, Role
from contracts.event import ContractError

MAX_AGENT = 200
bearer = HTTPBearer(auto_error=False, description="An access token of the identity provider")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def tools_of(request: Request) -> Toolbox:
    tools: Toolbox = request.app.state.tools
    return tools


async def claims_of(request: Request, token: Bearer) -> Claims:
    """Raises Unauthenticated without a good token."""
    if token is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    verifier: TokenVerifier = request.app.state.verifier
    claims = await verifier.verify(token.credentials)
    structlog.contextvars.bind_contextvars(user=claims.user_id, org=claims.org)
    return claims


VerifiedClaims = Annotated[Claims, Depends(claims_of)]


def actor_of(request: Request, claims: Claims | None, role: Role | None = None) -> Actor:
    client_ip = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")[:MAX_AGENT] or None
    if claims is None:
        return Actor(client_ip=client_ip, user_agent=agent)
    return Actor(claims.user_id, role, claims.email, claims.name, client_ip, agent)


async def signed_in(request: Request, claims: VerifiedClaims) -> UserScope:
    """The scope of a signed-in person, whether or not they are in an organization."""
    tools = tools_of(request)
    actor = actor_of(request, claims, claims.role)
    scope = UserScope(tools, actor, Cause(tools.ids.new()), claims.user_id, claims.org)
    await check_origin(request, scope.for_org(claims.org) if claims.org else None)
    scope = replace(scope, cause=_cause(request, scope))
    await replay_if_known(request, scope)
    return scope


SignedIn = Annotated[UserScope, Depends(gives(Access("signed-in"), signed_in))]


async def anonymous(request: Request) -> UserScope:
    """The scope of somebody unknown, for the few public routes (sign-up, sign-in)."""
    await check_origin(request, None)
    refuse_unknown_query(request)
    tools = tools_of(request)
    return UserScope(tools, actor_of(request, None), Cause(tools.ids.new()), "unknown")


Anonymous = Annotated[UserScope, Depends(gives(Access("public"), anonymous))]


def by_projection(actor: Actor, standing: Standing, claims: Claims) -> Actor:
    """What somebody may, by the newer of what the token says and what tenancy's events told this service.

    Raises MembershipEnded if the member was removed after the token was made.
    """
    known = standing.member
    if known is not None and known.version > claims.mv:
        if not known.active:
            raise MembershipEnded("You are no longer a member of this organization; refresh your token.")
        return _placed(actor, known.role, known.grants, known.denies)
    if claims.role is None:
        raise MembershipEnded("The token names no role.")
    return _placed(actor, claims.role, claims.grants, claims.denies)


def by_membership(actor: Actor, standing: Standing, _claims: Claims) -> Actor:
    """For the service that owns the memberships: they alone decide. Raises NotFound if there is none."""
    known = standing.member
    if known is None or not known.active:
        raise NotFound("organization")
    return _placed(actor, known.role, known.grants, known.denies)


def _placed(actor: Actor, role: Role, grants: Iterable[str], denies: Iterable[str]) -> Actor:
    return replace(actor, role=role, grants=frozenset(grants), denies=frozenset(denies))


class Guard:
    """Makes the guards of one service from its policy table: operation -> least role."""

    def __init__(self, permissions: Mapping[str, Role]) -> None:
        self.permissions = permissions

    def __call__(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes in the organization of the token."""
        access = Access("guarded", operation, self._least(operation))

        async def guarded(request: Request, claims: VerifiedClaims) -> OrgScope:
            if claims.org is None:
                raise MembershipEnded("The token names no organization; switch to one and refresh it.")
            scope = org_scope(request, claims, claims.org)
            return await _admitted(request, scope, claims, access, by_projection)

        return gives(access, guarded)

    def in_path(
        self, operation: str, *, sometimes: Sequence[str] = (), while_suspended: bool = False
    ) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id}, in the service that owns the memberships.

        `sometimes` are the operations that the use case itself asks for, depending on whom it is about.
        `while_suspended` leaves the route to the members of a suspended organization."""
        conditional = {name: self._least(name) for name in sometimes}
        access = Access("guarded", operation, self._least(operation), conditional, while_suspended)

        async def guarded(request: Request, claims: VerifiedClaims, org_id: OrgId) -> OrgScope:
            scope = org_scope(request, claims, org_id)
            return await _admitted(request, scope, claims, access, by_membership)

        return gives(access, guarded)

    def staff(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id} that are the platform's staff's, in whatever organization. There is
        one answer to all others, whether or not the organization exists."""
        access = Access("staff", operation)

        async def guarded(request: Request, claims: VerifiedClaims, org_id: OrgId) -> OrgScope:
            if not claims.is_staff:
                raise StaffOnly(operation)
            return await _let_in(request, org_scope(request, claims, org_id))

        return gives(access, guarded)

    def _least(self, operation: str) -> Role:
        try:
            return self.permissions[operation]
        except KeyError:
            raise ContractError(f"{operation} has no entry in the service's permissions.py") from None


def org_scope(request: Request, claims: Claims, org_id: str) -> OrgScope:
    """A scope that nobody has been admitted to yet."""
    tools = tools_of(request)
    return OrgScope(tools, actor_of(request, claims), Cause(tools.ids.new()), org_id)


def _cause(request: Request, scope: Scope) -> Cause:
    """What the request's headers ask for: to be carried out once, and only on what it was meant for."""
    refuse_unknown_query(request)
    return replace(scope.cause, claim=claim_for(request, scope), precondition=precondition_of(request))


Place = Callable[[Actor, Standing, Claims], Actor]


async def _admitted(request: Request, scope: OrgScope, claims: Claims, access: Access, place: Place) -> OrgScope:
    """Membership first, for a stranger must not learn more; then the organization; then the operation."""
    assert access.operation is not None
    assert access.role is not None
    standing = await standing_of(scope, claims.user_id)
    actor = place(scope.actor, standing, claims)
    await check_origin(request, scope)  # before any refusal that the page should be able to read
    organization = standing.organization
    if organization is not None and not organization.status.operates and not access.while_suspended:
        raise OrganizationSuspended(access.operation, organization.status)
    actor.require(access.operation, access.role)
    return await _let_in(request, replace(scope, actor=actor))


async def _let_in(request: Request, scope: OrgScope) -> OrgScope:
    admitted = replace(scope, cause=_cause(request, scope))
    await replay_if_known(request, admitted)
    return admitted
