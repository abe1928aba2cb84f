"""Actor resolvers: from a verified token or an API key to the actor in an organization, or a refusal."""

from collections.abc import Iterable
from dataclasses import replace

import structlog

from chassis.auth.api_key_format import PresentedKey
from chassis.auth.tokens import TokenClaims
from chassis.errors import MembershipEnded, NotFound, Unauthenticated
from chassis.http.admission import ActorResolver
from chassis.tenants.api_key_usage import ApiKeyUsage
from chassis.tenants.api_keys import ApiKey, ApiKeyRepository, KeySecret
from chassis.tenants.members import MembershipState, membership_state_of
from chassis.tenants.organizations import OrganizationProfile
from chassis.work.context import Actor
from chassis.work.scope import OrgScope
from contracts.common import Role


def by_projection(claims: TokenClaims) -> ActorResolver:
    """The newer of what the token says and what tenancy's events told this service.

    Raises MembershipEnded if the member was removed after the token was made.
    """

    async def resolve(scope: OrgScope) -> tuple[Actor, OrganizationProfile | None]:
        state = await membership_state_of(scope, claims.user_id)
        member = state.member
        if member is not None and member.version > claims.mv:
            if not member.active:
                raise MembershipEnded("You are no longer a member of this organization; refresh your token.")
            return _with_role(scope.actor, member.role, member.grants, member.denies), state.organization
        if claims.role is None:
            raise MembershipEnded("The token names no role.")
        return _with_role(scope.actor, claims.role, claims.grants, claims.denies), state.organization

    return resolve


def by_membership(claims: TokenClaims) -> ActorResolver:
    """For the service that owns the memberships: they alone decide. Raises NotFound if there is none."""

    async def resolve(scope: OrgScope) -> tuple[Actor, OrganizationProfile | None]:
        state = await membership_state_of(scope, claims.user_id)
        member = state.member
        if member is None or not member.active:
            raise NotFound("organization")
        return _with_role(scope.actor, member.role, member.grants, member.denies), state.organization

    return resolve


def by_api_key(presented: PresentedKey, usage: ApiKeyUsage, org_in_path: str | None = None) -> ActorResolver:
    """A program: its key's scopes, as far as the key's holder has the permissions, too. Raises Unauthenticated for a
    key that is not good, NotFound if the key belongs to another organization than `org_in_path`."""

    async def resolve(scope: OrgScope) -> tuple[Actor, OrganizationProfile | None]:
        key, secret = await good_key(scope, presented)
        state = await membership_state_of(scope, secret.holder_id)
        actor = as_program(scope.actor, key, secret, state)
        structlog.contextvars.bind_contextvars(api_key=key.id, org=scope.org_id)
        await usage.record(replace(scope, actor=actor), key.id)
        if org_in_path not in {None, presented.org_id}:
            raise NotFound("organization")
        return actor, state.organization

    return resolve


async def good_key(scope: OrgScope, presented: PresentedKey) -> tuple[ApiKey, KeySecret]:
    """The key, and which of its secrets was presented. Raises Unauthenticated, in one way for every key that this
    service does not know, so that nobody learns which keys exist."""
    key = await ApiKeyRepository(scope).find(presented.key_id)
    secret = key.secret(presented.digest) if key else None
    if key is None or secret is None:
        raise Unauthenticated("This API key is unknown, or revoked.")
    if not secret.is_good(scope.now()):
        raise Unauthenticated("This API key has expired, or was replaced by another.")
    return key, secret


def as_program(actor: Actor, key: ApiKey, secret: KeySecret, state: MembershipState) -> Actor:
    """The actor of a program. Raises Unauthenticated if the key's holder has left."""
    holder = state.member
    if holder is not None and not holder.active:
        raise Unauthenticated("The member who held this API key has left; another member must rotate it.")
    role = secret.role if holder is None else min(secret.role, holder.role, key=list(Role).index)
    grants, denies = (holder.grants, holder.denies) if holder else ((), ())
    actor = _with_role(actor, role, grants, denies)
    return replace(actor, id=key.id, name=key.name, holder_id=secret.holder_id, scopes=frozenset(key.scopes))


def _with_role(actor: Actor, role: Role, grants: Iterable[str], denies: Iterable[str]) -> Actor:
    return replace(actor, role=role, grants=frozenset(grants), denies=frozenset(denies))
