"""Registration: a sign-up, and the confirmation that completes it. Passwords and codes only pass through to the
identity provider."""

from dataclasses import replace

from chassis.errors import AlreadyExists
from chassis.work.scope import UserScope
from services.identity.accounts.model import code_digest
from services.identity.errors import AlreadyConfirmed, WrongCode
from services.identity.ports import IdentityProvider, Person
from services.identity.profiles.model import Profile
from services.identity.profiles.repository import ProfileRepository


async def sign_up(scope: UserScope, email: str, password: str, name: str, *, invited: bool) -> str:
    """Begin a registration; `confirm` completes it. Returns the user's id. Raises AddressTaken or WeakPassword.

    Nothing is stored here: the provider stores with the user what the registration will need, and which request created
    the user, so that a repeated request does not get the answer that its own address is taken.
    """
    provider, attempt = scope.port(IdentityProvider), scope.id_of_request("attempt")
    return await provider.sign_up(email, password, name, invited=invited, attempt=attempt)


async def resend_code(scope: UserScope, email: str) -> None:
    """Send a new code, if the address is waiting for confirmation."""
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
    digest = code_digest(person.user_id, code)
    profile = await register(act_as(scope, person.user_id, person.email, person.name), person, digest)
    if repeated and profile.confirmed_with != digest:
        raise WrongCode
    return profile.id


async def register(scope: UserScope, person: Person, confirmed_with: str | None) -> Profile:
    """The user's profile, stored if it is not yet. It is stored and its event published in one write, so there is one
    event per user."""
    unit, profiles = scope.unit_of_work(claimed=False), ProfileRepository(scope)
    profile = profiles.create(
        unit,
        Profile(
            id=person.user_id,
            email=person.email,
            name=person.name,
            registered_at=scope.now(),
            confirmed_with=confirmed_with,
        ),
    )
    unit.publish(profile.registered_event(invited=person.invited), version=profile.version)
    try:
        await unit.commit()
    except AlreadyExists:
        return await profiles.get(person.user_id)
    return profile


def act_as(scope: UserScope, user_id: str, email: str, name: str) -> UserScope:
    """The scope of a person who has just proved to be that user."""
    # unscoped(made-scope): the identity provider has just said who they are
    return replace(scope.for_user(user_id), actor=replace(scope.actor, id=user_id, email=email, name=name))
