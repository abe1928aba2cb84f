"""Events of the identity service, version 1."""

from typing import Literal

from contracts.common import OrgId, UserId
from contracts.event import Event


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
