"""Guards: the dependency of every route that is not public. They turn a token or an API key into a scope, or refuse.

`guard = Guard(PERMISSIONS)` is made once per service from its one policy table; `guard("tasks.task.create")` fails when
the module is imported if the table has no such operation. In which order a request is checked is written in
`chassis.http.admission`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from chassis.auth.access import Access, mark_access
from chassis.auth.api_key_format import PresentedKey, parse_key
from chassis.auth.tokens import TokenClaims
from chassis.errors import DeclarationError, MembershipEnded, Unauthenticated
from chassis.http.actor_resolvers import by_api_key, by_membership, by_projection
from chassis.http.admission import admit, admit_anybody, admit_person, admit_staff, audit_refusals
from chassis.http.state import api_state_of
from chassis.work.context import Actor, Cause
from chassis.work.scope import OrgScope, UserScope
from contracts.common import OrgId, Role

MAX_AGENT = 200
bearer = HTTPBearer(auto_error=False, description="An access token of the identity provider")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
api_key = APIKeyHeader(name="X-Api-Key", scheme_name="ApiKey", auto_error=False, description="A program's API key")
WrittenKey = Annotated[str | None, Depends(api_key)]


async def token_claims_of(request: Request, token: Bearer) -> TokenClaims:
    """Raises Unauthenticated without a good token."""
    if token is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    claims = await api_state_of(request).verifier.verify(token.credentials)
    structlog.contextvars.bind_contextvars(user=claims.user_id, org=claims.org)
    return claims


VerifiedClaims = Annotated[TokenClaims, Depends(token_claims_of)]


async def caller_of(request: Request, token: Bearer, key: WrittenKey) -> TokenClaims | PresentedKey:
    """A person by their token, or a program by its key. Raises Unauthenticated for neither, for both, and for a token
    that is not good; whether the key is good is decided in its organization's scope."""
    if key is None:
        return await token_claims_of(request, token)
    if token is not None:
        raise Unauthenticated("Send either an access token or an API key, not both.")
    return parse_key(key)


Caller = Annotated[TokenClaims | PresentedKey, Depends(caller_of)]


def actor_of(request: Request, claims: TokenClaims | None, role: Role | None = None) -> Actor:
    """The person of the token, or somebody unknown, as audit wants to know them."""
    client_ip = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")[:MAX_AGENT] or None
    if claims is None:
        return Actor(client_ip=client_ip, user_agent=agent)
    return Actor(claims.user_id, role, claims.email, claims.name, client_ip, agent)


def user_scope(request: Request, claims: TokenClaims) -> UserScope:
    """The scope of the token's person, before any check."""
    context, actor = api_state_of(request).context, actor_of(request, claims, claims.role)
    return UserScope(context, actor, Cause(context.ids.new()), claims.user_id, claims.org)


def org_scope(request: Request, claims: TokenClaims | None, org_id: str) -> OrgScope:
    """The scope of an organization, to which nobody has been admitted yet."""
    context = api_state_of(request).context
    return OrgScope(context, actor_of(request, claims), Cause(context.ids.new()), org_id)


async def signed_in(request: Request, claims: VerifiedClaims) -> UserScope:
    """The scope of a signed-in person, whether or not they are in an organization."""
    return await admit_person(request, user_scope(request, claims))


SignedIn = Annotated[UserScope, Depends(mark_access(Access("signed-in"), signed_in))]


async def anonymous(request: Request) -> UserScope:
    """The scope of somebody unknown, for the few public routes (sign-up, sign-in)."""
    await admit_anybody(request)
    context = api_state_of(request).context
    return UserScope(context, actor_of(request, None), Cause(context.ids.new()), "unknown")


Anonymous = Annotated[UserScope, Depends(mark_access(Access("public"), anonymous))]


class Guard:
    """Makes the guards of one service from its policy table: operation -> least role."""

    def __init__(self, permissions: Mapping[str, Role]) -> None:
        self.permissions = permissions

    def __call__(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes in the organization of the token."""
        access = Access("guarded", operation, self._least(operation))

        async def guarded(request: Request, caller: Caller) -> OrgScope:
            if isinstance(caller, PresentedKey):
                resolve = by_api_key(caller, api_state_of(request).api_key_usage)
                return await admit(request, org_scope(request, None, caller.org_id), access, resolve)
            if caller.org is None:
                raise MembershipEnded("The token names no organization; switch to one and refresh it.")
            scope = org_scope(request, caller, caller.org)
            audit_refusals(request, scope, operation)
            return await admit(request, scope, access, by_projection(caller))

        return mark_access(access, guarded)

    def in_path(
        self, operation: str, *, sometimes: Sequence[str] = (), while_suspended: bool = False
    ) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id}, in the service that owns the memberships.

        `sometimes` are the operations that the use case itself asks for, depending on whom it is about.
        `while_suspended` leaves the route open to the members of a suspended organization."""
        conditional = {name: self._least(name) for name in sometimes}
        access = Access("guarded", operation, self._least(operation), conditional, while_suspended)

        async def guarded(request: Request, caller: Caller, org_id: OrgId) -> OrgScope:
            if isinstance(caller, PresentedKey):
                resolve = by_api_key(caller, api_state_of(request).api_key_usage, org_id)
                return await admit(request, org_scope(request, None, caller.org_id), access, resolve)
            return await admit(request, org_scope(request, caller, org_id), access, by_membership(caller))

        return mark_access(access, guarded)

    def staff(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id} that only the platform's staff may use, in any organization."""
        access = Access("staff", operation)

        async def guarded(request: Request, claims: VerifiedClaims, org_id: OrgId) -> OrgScope:
            mine, scope = user_scope(request, claims), org_scope(request, claims, org_id)
            return await admit_staff(request, mine, scope, operation, is_staff=claims.is_staff)

        return mark_access(access, guarded)

    def _least(self, operation: str) -> Role:
        try:
            return self.permissions[operation]
        except KeyError:
            raise DeclarationError(f"{operation} has no entry in the service's permissions.py") from None
