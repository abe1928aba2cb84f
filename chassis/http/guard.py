"""Guards: the dependency of every route that is not public. They turn a token or an API key into a scope, or refuse.

`guard = Guard(PERMISSIONS)` is made once a service from its one policy table; `guard("tasks.task.create")` fails when
the module is imported if the table has no such operation.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from chassis.auth.access import Access, gives
from chassis.auth.api_key_format import PresentedKey, presented
from chassis.auth.tokens import Claims, TokenVerifier
from chassis.errors import MembershipEnded, NotFound, OrganizationSuspended, StaffOnly, Unauthenticated
from chassis.http.conditions import precondition_of
from chassis.http.cors import check_origin
from chassis.http.idempotency import claim_for, replay_if_known
from chassis.http.queries import refuse_unknown_query
from chassis.http.rate_limit_headers import count, count_of_person
from chassis.tenants.api_keys import ApiKey, ApiKeys, KeySecret
from chassis.tenants.members import Standing, standing_of
from chassis.work.context import Actor, Cause, OrgScope, Scope, Toolbox, UserScope
from contracts.common import OrgId, Plan, Role
from contracts.event import ContractError

MAX_AGENT = 200
bearer = HTTPBearer(auto_error=False, description="An access token of the identity provider")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
api_key = APIKeyHeader(name="X-Api-Key", scheme_name="ApiKey", auto_error=False, description="A program's API key")
WrittenKey = Annotated[str | None, Depends(api_key)]


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


async def caller_of(request: Request, token: Bearer, key: WrittenKey) -> Claims | PresentedKey:
    """A person by their token, or a program by its key. Raises Unauthenticated for neither, for both, and for a token
    that is not good; whether the key is, its organization's scope tells."""
    if key is None:
        return await claims_of(request, token)
    if token is not None:
        raise Unauthenticated("Send either an access token or an API key, not both.")
    return presented(key)


Caller = Annotated[Claims | PresentedKey, Depends(caller_of)]


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
    await count_of_person(request, scope)
    scope = replace(scope, cause=_cause(request, scope))
    answer_for(request, scope)
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


async def good_key(scope: OrgScope, presented: PresentedKey) -> tuple[ApiKey, KeySecret]:
    """The key, and which of its secrets was presented. Raises Unauthenticated, in one way for every key that this
    service does not know, so that nobody learns which there are."""
    key = await ApiKeys(scope).find(presented.key_id)
    secret = key.secret(presented.digest) if key else None
    if key is None or secret is None:
        raise Unauthenticated("This API key is unknown, or revoked.")
    if not secret.is_good(scope.now()):
        raise Unauthenticated("This API key has expired, or was replaced by another.")
    return key, secret


def as_program(actor: Actor, key: ApiKey, secret: KeySecret, standing: Standing) -> Actor:
    """What a program may: its scopes, as far as its holder may too. Raises Unauthenticated if they left."""
    holder = standing.member
    if holder is not None and not holder.active:
        raise Unauthenticated("Whom this API key was given to has left; another member must rotate it.")
    role = secret.role if holder is None else min(secret.role, holder.role, key=list(Role).index)
    grants, denies = (holder.grants, holder.denies) if holder else ((), ())
    placed = _placed(actor, role, grants, denies)
    return replace(placed, id=key.id, name=key.name, holder_id=secret.holder_id, scopes=frozenset(key.scopes))


class Guard:
    """Makes the guards of one service from its policy table: operation -> least role."""

    def __init__(self, permissions: Mapping[str, Role]) -> None:
        self.permissions = permissions

    def __call__(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes in the organization of the token."""
        access = Access("guarded", operation, self._least(operation))

        async def guarded(request: Request, caller: Caller) -> OrgScope:
            if isinstance(caller, PresentedKey):
                return await _program(request, caller, access)
            if caller.org is None:
                raise MembershipEnded("The token names no organization; switch to one and refresh it.")
            scope = org_scope(request, caller, caller.org)
            answer_for(request, scope, operation)
            return await _admitted(request, scope, caller, access, by_projection)

        return gives(access, guarded)

    def in_path(
        self, operation: str, *, sometimes: Sequence[str] = (), while_suspended: bool = False
    ) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id}, in the service that owns the memberships.

        `sometimes` are the operations that the use case itself asks for, depending on whom it is about.
        `while_suspended` leaves the route to the members of a suspended organization."""
        conditional = {name: self._least(name) for name in sometimes}
        access = Access("guarded", operation, self._least(operation), conditional, while_suspended)

        async def guarded(request: Request, caller: Caller, org_id: OrgId) -> OrgScope:
            if isinstance(caller, PresentedKey):
                return await _program(request, caller, access, org_id)
            scope = org_scope(request, caller, org_id)
            return await _admitted(request, scope, caller, access, by_membership)

        return gives(access, guarded)

    def staff(self, operation: str) -> Callable[..., Awaitable[OrgScope]]:
        """For routes under /organizations/{org_id} that are the platform's staff's, in whatever organization. There is
        one answer to all others, whether or not the organization exists."""
        access = Access("staff", operation)

        async def guarded(request: Request, claims: VerifiedClaims, org_id: OrgId) -> OrgScope:
            if not claims.is_staff:
                tools, actor = tools_of(request), actor_of(request, claims, claims.role)
                mine = UserScope(tools, actor, Cause(tools.ids.new()), claims.user_id, claims.org)
                answer_for(request, mine, operation)
                raise StaffOnly(operation)
            await check_origin(request, None)
            return await _let_in(request, org_scope(request, claims, org_id))

        return gives(access, guarded)

    def _least(self, operation: str) -> Role:
        try:
            return self.permissions[operation]
        except KeyError:
            raise ContractError(f"{operation} has no entry in the service's permissions.py") from None


def answer_for(request: Request, scope: Scope, operation: str | None = None) -> None:
    """From here on a refusal is known to be one of that actor in that organization, and goes into its audit trail."""
    request.state.answered_for = scope, operation


def org_scope(request: Request, claims: Claims | None, org_id: str) -> OrgScope:
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
    standing = await standing_of(scope, claims.user_id)
    return await _known(request, replace(scope, actor=place(scope.actor, standing, claims)), standing, access)


async def _program(request: Request, key: PresentedKey, access: Access, org_id: str | None = None) -> OrgScope:
    """`org_id` is that of the path, if it names one. Raises NotFound if the key is of another."""
    scope = org_scope(request, None, key.org_id)
    known, secret = await good_key(scope, key)
    standing = await standing_of(scope, secret.holder_id)
    scope = replace(scope, actor=as_program(scope.actor, known, secret, standing))
    structlog.contextvars.bind_contextvars(api_key=known.id, org=scope.org_id)
    await scope.tools.key_uses.record(scope, known.id)
    if org_id not in {None, key.org_id}:
        raise NotFound("organization")
    return await _known(request, scope, standing, access)


async def _known(request: Request, scope: OrgScope, standing: Standing, access: Access) -> OrgScope:
    """Of who belongs here every request counts, also one that is then refused."""
    assert access.operation is not None
    assert access.role is not None
    answer_for(request, scope, access.operation)
    await check_origin(request, scope)  # before any refusal that the page should be able to read
    organization = standing.organization
    await count(request, scope, Plan.FREE if organization is None else organization.plan)
    if organization is not None and not organization.status.operates and not access.while_suspended:
        raise OrganizationSuspended(access.operation, organization.status)
    scope.actor.require(access.operation, access.role)
    return await _let_in(request, scope)


async def _let_in(request: Request, scope: OrgScope) -> OrgScope:
    admitted = replace(scope, cause=_cause(request, scope))
    await replay_if_known(request, admitted)
    return admitted
