"""What identity does. Passwords and codes only pass through it, to the identity provider."""

from dataclasses import replace
from typing import Any

from chassis.errors import AlreadyExists, NotFound, NotYet
from chassis.work.scope import UserScope
from contracts.identity.v1 import ActiveOrgSwitched, SignInFailed, UserRegistered, UserSignedIn
from services.identity.errors import AlreadyConfirmed, Locked, NotConfirmed, WrongCode, WrongCredentials
from services.identity.model import Profile, spent
from services.identity.ports import IdentityProvider, Person, Tokens
from services.identity.repository import Account, Memberships, Profiles, read_account

UNVERSIONED = 0
"""A failed sign-in belongs to no aggregate."""


async def sign_up(scope: UserScope, email: str, password: str, name: str, *, invited: bool) -> str:
    """Begin a registration; `confirm` ends it. Returns the user's id. Raises AddressTaken or WeakPassword.

    Nothing is stored here: the provider keeps with the user what the registration will need, and which request made
    them, so that a repeated request is not told that its own address is taken.
    """
    provider, attempt = scope.port(IdentityProvider), scope.id_of_request("attempt")
    return await provider.sign_up(email, password, name, invited=invited, attempt=attempt)


async def resend_code(scope: UserScope, email: str) -> None:
    await scope.port(IdentityProvider).resend_code(email)


async def confirm(scope: UserScope, email: str, code: str) -> str:
    """Confirm an address and register its owner, once however often it is repeated. Returns the user's id.

    Raises WrongCode, also for another code than the one that confirmed the address.
    """
    provider, repeated = scope.port(IdentityProvider), False
    try:
        await provider.confirm(email, code)
    except AlreadyConfirmed:
        repeated = True  # by a request that died before it could register them, or whose answer was lost
    person = await provider.person(email)
    digest = spent(person.user_id, code)
    profile = await _registered(_acting(scope, person.user_id, person.email, person.name), person, digest)
    if repeated and profile.confirmed_with != digest:
        raise WrongCode
    return profile.id


async def sign_in(scope: UserScope, email: str, password: str) -> Tokens:
    """Raises WrongCredentials, Locked or NotConfirmed, after the failure is published."""
    provider = scope.port(IdentityProvider)
    try:
        tokens = await provider.sign_in(email, password)
    except (WrongCredentials, Locked, NotConfirmed) as refused:
        unit = scope.unit_of_work(claimed=False)  # else one Idempotency-Key would hide any number of guesses
        unit.publish(SignInFailed(email=email, reason=refused.reason), version=UNVERSIONED)
        await unit.commit()
        raise
    claims = tokens.claims
    own = _acting(scope, claims.user_id, claims.email, claims.name)
    profile = (await read_account(own)).profile
    if profile is None:  # the confirmation died half-way, or was made with the provider itself
        profile = await _registered(own, await provider.person(email), None)
    unit = own.in_org(claims.org).unit_of_work(step=profile.id)
    unit.publish(UserSignedIn(user_id=profile.id), version=profile.version)
    await unit.commit()
    return tokens


async def refresh(scope: UserScope, refresh_token: str) -> Tokens:
    """New tokens, with the organization and the role of now. Raises SessionEnded."""
    return await scope.port(IdentityProvider).refresh(refresh_token)


async def sign_out(scope: UserScope, access_token: str) -> None:
    """End all sessions of the token's bearer."""
    await scope.port(IdentityProvider).sign_out(access_token)


async def published_keys(scope: UserScope) -> dict[str, Any]:
    """Raises NotFound where the identity provider publishes them itself."""
    return await scope.port(IdentityProvider).keys()


async def me(scope: UserScope) -> tuple[Profile, Account]:
    """Raises NotFound for a user who never registered here."""
    account = await read_account(scope)
    if account.profile is None:
        raise NotFound("user")
    return account.profile, account


async def switch_organization(scope: UserScope, org_id: str) -> Profile:
    """Work in another organization from the next token on. Raises NotYet while no membership there is known.

    A membership that ended and one that never was are answered alike: a new one may be on its way.
    """
    profile, account = await me(scope)
    scope.require_match(profile)
    if profile.active_org_id == org_id and any(each.id == org_id for each in account.organizations):
        return profile
    left = account.active.id if account.active and account.active.id != org_id else None
    unit = scope.unit_of_work()
    saved = Profiles(scope).save(unit, profile.model_copy(update={"active_org_id": org_id}))
    unit.require(
        Memberships(scope).key(org_id),
        {"active": True},
        on_conflict=NotYet("You are not known to be in this organization; if you have just joined, try again."),
    )
    switched = ActiveOrgSwitched(user_id=scope.user_id, previous_org_id=left, org_id=org_id)
    unit.publish(switched, version=saved.version, org_id=org_id)
    return await unit.answer(saved)


async def _registered(scope: UserScope, person: Person, confirmed_with: str | None) -> Profile:
    """The user's profile. Whoever stores it publishes the registration with it, so that there is one."""
    unit, profiles = scope.unit_of_work(claimed=False), Profiles(scope)
    profile = Profile(
        id=person.user_id,
        email=person.email,
        name=person.name,
        registered_at=scope.now(),
        confirmed_with=confirmed_with,
    )
    stored = profiles.create(unit, profile)
    registered = UserRegistered(user_id=person.user_id, email=person.email, name=person.name, invited=person.invited)
    unit.publish(registered, version=stored.version)
    try:
        await unit.commit()
    except AlreadyExists:
        return await profiles.get(person.user_id)
    return stored


def _acting(scope: UserScope, user_id: str, email: str, name: str) -> UserScope:
    """The scope of a person who just proved to be that user."""
    # unscoped(made-scope): the identity provider has just said who they are
    return replace(scope.for_user(user_id), actor=replace(scope.actor, id=user_id, email=email, name=name))
