"""Sessions: begun, refreshed and ended by the identity provider, and the organization that they work in."""

from dataclasses import replace
from typing import Any

from chassis.errors import NotYet
from chassis.work.scope import UserScope
from services.identity.accounts.usecases import act_as, register
from services.identity.errors import Locked, NotConfirmed, WrongCredentials
from services.identity.memberships.repository import MembershipRepository
from services.identity.ports import IdentityProvider, Tokens
from services.identity.profiles.model import Profile
from services.identity.profiles.repository import ProfileRepository, find_account
from services.identity.profiles.usecases import get_account
from services.identity.sessions.model import UNVERSIONED, sign_in_failed_event


async def sign_in(scope: UserScope, email: str, password: str) -> Tokens:
    """Raises WrongCredentials, Locked or NotConfirmed, after the failure is published."""
    provider = scope.port(IdentityProvider)
    try:
        tokens = await provider.sign_in(email, password)
    except (WrongCredentials, Locked, NotConfirmed) as refusal:
        unit = scope.unit_of_work(claimed=False)  # else one Idempotency-Key would hide any number of guesses
        unit.publish(sign_in_failed_event(email, refusal), version=UNVERSIONED)
        await unit.commit()
        raise
    claims = tokens.claims
    own = act_as(scope, claims.user_id, claims.email, claims.name)
    account = await find_account(own)
    if account is None:  # the confirmation died half-way, or was made with the provider itself
        profile = await register(own, await provider.person(email), None)
    else:
        profile = account.profile
    unit = own.in_org(claims.org).unit_of_work(step=profile.id)
    unit.publish(profile.signed_in_event(), version=profile.version)
    await unit.commit()
    return tokens


async def refresh(scope: UserScope, refresh_token: str) -> Tokens:
    """New tokens, with the present organization and role; the refresh token may be the same. Raises SessionEnded."""
    tokens = await scope.port(IdentityProvider).refresh(refresh_token)
    return replace(tokens, refresh_token=tokens.refresh_token or refresh_token)


async def sign_out(scope: UserScope, access_token: str) -> None:
    """End all sessions of the token's bearer."""
    await scope.port(IdentityProvider).sign_out(access_token)


async def published_keys(scope: UserScope) -> dict[str, Any]:
    """The key set that verifies access tokens. Raises NotFound where the identity provider publishes it itself."""
    return await scope.port(IdentityProvider).keys()


async def switch_organization(scope: UserScope, org_id: str) -> Profile:
    """Work in another organization from the next token on. Raises NotFound for a user who never registered here, and
    NotYet while no membership in that organization is known.

    A membership that ended and one that never was get the same answer: a new one may be on its way.
    """
    account = await get_account(scope)
    profile, active = account.profile, account.active
    scope.require_match(profile)
    if profile.active_org_id == org_id and any(each.id == org_id for each in account.organizations):
        return profile
    previous = active.id if active and active.id != org_id else None
    unit = scope.unit_of_work()
    saved = ProfileRepository(scope).save(unit, profile.model_copy(update={"active_org_id": org_id}))
    unit.require(
        MembershipRepository(scope).key(org_id),
        {"active": True},
        on_conflict=NotYet("You are not known to be in this organization; if you have just joined, try again."),
    )
    unit.publish(saved.switched_event(org_id, previous), version=saved.version, org_id=org_id)
    return await unit.answer(saved)
