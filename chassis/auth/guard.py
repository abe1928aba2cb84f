"""Guards: the dependency of every route that is not public. They turn a token into a scope, or refuse.

`guard = Guard(PERMISSIONS)` is made once a service from its one policy table; `guard("tasks.task.create")` fails when
the module is imported if the table has no such operation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.auth.access import Access, gives
from chassis.auth.tokens import Claims, TokenVerifier
from chassis.context import Actor, Cause, OrgScope, Scope, Toolbox, UserScope
from chassis.errors import Forbidden, MembershipEnded, NotFound, Unauthenticated
from chassis.http.conditions import precondition_of
from chassis.http.cors import check_origin
from chassis.http.idempotency import claim_for, replay_if_known
from chassis.http.queries import refuse_unknown_query
from chassis.members import Member, Members
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


async def role_by_projection(scope: OrgScope, claims: Claims) -> Role:
    """The newer of what the token says and what tenancy's events told this service.

    Raises MembershipEnded if the member was removed after the token was made.
    """
    known = await Members(scope).find(claims.user_id)
    if known is not None and known.version > claims.mv:
        return _role(known)
    if claims.role is None:
        raise MembershipEnded("The token names no role.")
    return claims.role


async def role_by_membership(scope: OrgScope, claims: Claims) -> Role:
    """For the service that owns the memberships: they alone decide. Raises NotFound if there is none."""
    known = await Members(scope).find(claims.user_id)
    if known is None or not known.active:
        raise NotFound("organization")
    return known.role


def _role(member: Member) -> Role:
    if not member.active:
        raise MembershipEnded("You are no longer a member of this organization; refresh your token.")
    return member.role


class Guard:
    """Makes the guards of one service from its policy table: operation -> least role."""

    def __init__(self, permissions: Mapping[str, Role]) -> None:
        self.permissions = permissions

    def __call__(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes in the organization of the token."""
        least = self._least(operation)

        async def guarded(request: Request, claims: VerifiedClaims) -> OrgScope:
            if claims.org is None:
                raise MembershipEnded("The token names no organization; switch to one and refresh it.")
            scope = org_scope(request, claims, claims.org)
            return await _admitted(request, scope, await role_by_projection(scope, claims), operation, least)

        return gives(Access("guarded", operation, least), guarded)

    def in_path(self, operation: str, *, sometimes: Sequence[str] = ()) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id}, in the service that owns the memberships.

        `sometimes` are the operations that the use case itself asks for, depending on whom it is about."""
        least = self._least(operation)
        conditional = {name: self._least(name) for name in sometimes}

        async def guarded(request: Request, claims: VerifiedClaims, org_id: OrgId) -> OrgScope:
            scope = org_scope(request, claims, org_id)
            return await _admitted(request, scope, await role_by_membership(scope, claims), operation, least)

        return gives(Access("guarded", operation, least, conditional), guarded)

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


async def _admitted(request: Request, scope: OrgScope, role: Role, operation: str, least: Role) -> OrgScope:
    if not role.covers(least):
        raise Forbidden(operation)
    await check_origin(request, scope)
    admitted = replace(scope, actor=replace(scope.actor, role=role), cause=_cause(request, scope))
    await replay_if_known(request, admitted)
    return admitted
