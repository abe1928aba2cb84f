"""Events of the identity service, version 1."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from contracts.access import Denial, KeyUse
from contracts.common import ApiKeyId, OrgId, PermissionName, Role, UserId
from contracts.event import Event, Secret


class UserRegistered(Event, type="identity.user.registered.v1", subject="user_id"):
    """A person confirmed their e-mail address and can sign in.

    Tenancy creates their personal organization, unless they signed up to accept an invitation.
    """

    user_id: UserId
    email: str
    name: str
    invited: bool
    """Whether they signed up to accept an invitation; then they get no personal organization."""


class UserSignedIn(Event, type="identity.user.signed_in.v1", subject="user_id"):
    """A person signed in. Audit records it in the organization of their token."""

    user_id: UserId
    method: Literal["password"] = "password"


class SignInFailed(Event, type="identity.sign_in.failed.v1", subject="email"):
    """A sign-in failed, for example because of a wrong password or an unknown address. Audit records it."""

    email: str
    reason: Literal["wrong_credentials", "not_confirmed", "locked"]


class ActiveOrgSwitched(Event, type="identity.active_org.switched.v1", subject="user_id"):
    """A person switched to another of their organizations. Audit records it in the new one."""

    user_id: UserId
    previous_org_id: OrgId | None = None
    org_id: OrgId


class AccessDenied(Denial, Event, type="identity.access.denied.v1", subject="actor_id"):
    """The identity service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="identity.api_key.used.v1", subject="key_id"):
    """A program used its API key in the identity service. Identity shows the last use of the key; audit records it."""


class ApiKeySecret(BaseModel):
    """A secret of an API key, stored only as its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    digest: str
    """SHA-256 of the secret, in hexadecimal."""
    holder_id: UserId
    """The person who received the secret. It works while they are a member, within their own permissions."""
    role: Role
    """The holder's role when the secret was created. The key never exceeds it."""
    valid_until: datetime | None = None


class ApiKeyCreated(Event, type="identity.api_key.created.v1", subject="key_id"):
    """An API key was created, with which programs act in an organization. Services with an API keep a projection."""

    key_id: ApiKeyId
    name: str
    scopes: list[PermissionName]
    """The permissions of the key, as far as its holder has them."""
    secrets: Annotated[list[ApiKeySecret], Secret()]


class ApiKeyRotated(Event, type="identity.api_key.rotated.v1", subject="key_id"):
    """An API key got a new secret. The event has the whole state of the key, so that the newest event is enough."""

    key_id: ApiKeyId
    name: str
    scopes: list[PermissionName]
    secrets: Annotated[list[ApiKeySecret], Secret()]
    """The new secret, and the previous one while it is still valid."""


class ApiKeyRevoked(Event, type="identity.api_key.revoked.v1", subject="key_id"):
    """An API key was revoked: none of its secrets works in any service."""

    key_id: ApiKeyId
    name: str
