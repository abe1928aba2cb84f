"""Events of the identity service, version 1."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from contracts.access import Denial, KeyUse
from contracts.common import ApiKeyId, OrgId, PermissionName, Role, UserId
from contracts.event import Event, Secret


class UserRegistered(Event, type="identity.user.registered.v1", subject="user_id"):
    """A person confirmed their address and can sign in.

    Tenancy makes their personal organization, unless they came by an invitation.
    """

    user_id: UserId
    email: str
    name: str
    invited: bool
    """They signed up to answer an invitation, so they get no personal organization."""


class UserSignedIn(Event, type="identity.user.signed_in.v1", subject="user_id"):
    """A person proved who they are. Audit keeps it, in the organization that their token names."""

    user_id: UserId
    method: Literal["password"] = "password"


class SignInFailed(Event, type="identity.sign_in.failed.v1", subject="email"):
    """Somebody gave a wrong password, or an address that we do not know. Audit keeps it."""

    email: str
    reason: Literal["wrong_credentials", "not_confirmed", "locked"]


class ActiveOrgSwitched(Event, type="identity.active_org.switched.v1", subject="user_id"):
    """A person works in another of their organizations from now on. Audit keeps it there."""

    user_id: UserId
    previous_org_id: OrgId | None = None
    org_id: OrgId


class AccessDenied(Denial, Event, type="identity.access.denied.v1", subject="actor_id"):
    """Somebody was refused by identity in their own organization. Audit keeps it."""


class ApiKeyUsed(KeyUse, Event, type="identity.api_key.used.v1", subject="key_id"):
    """A program used its API key in identity. Identity shows when a key was last used; audit keeps it."""


class ApiKeySecret(BaseModel):
    """One of a key's secrets, of which only the digest is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    digest: str
    """SHA-256 of the secret, in hexadecimal."""
    holder_id: UserId
    """Whom it was shown to. It is good while they are a member, for what they may do themselves."""
    role: Role
    """The holder's role when it was made, which the key never exceeds."""
    valid_until: datetime | None = None


class ApiKeyCreated(Event, type="identity.api_key.created.v1", subject="key_id"):
    """A program may act in an organization. Every service with an API keeps a projection of its keys."""

    key_id: ApiKeyId
    name: str
    scopes: list[PermissionName]
    """The operations that it may do, if its holder may."""
    secrets: Annotated[list[ApiKeySecret], Secret()]


class ApiKeyRotated(Event, type="identity.api_key.rotated.v1", subject="key_id"):
    """An API key has a new secret. It carries all of the key's state, so that the newest event alone tells what is."""

    key_id: ApiKeyId
    name: str
    scopes: list[PermissionName]
    secrets: Annotated[list[ApiKeySecret], Secret()]
    """The new one, and the old one while it is still good."""


class ApiKeyRevoked(Event, type="identity.api_key.revoked.v1", subject="key_id"):
    """An API key works no more, in any service, with any of its secrets."""

    key_id: ApiKeyId
    name: str
