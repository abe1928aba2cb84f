"""Request bodies and views of sessions."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from chassis.http.rendering import ShownOnce
from chassis.http.schemas import RequestBody, View
from contracts.common import OrgId
from services.identity.accounts.schemas import Password
from services.identity.ports import Tokens
from services.identity.profiles.model import Email, Profile

Token = Annotated[str, Field(min_length=1, max_length=8192)]


class SignIn(RequestBody):
    email: Email
    password: Password


class Refresh(RequestBody):
    refresh_token: Token


class Session(View, ShownOnce):
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token must be refreshed."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105

    @classmethod
    def of(cls, tokens: Tokens) -> Self:
        refresh_token = tokens.refresh_token or ""
        return cls(access_token=tokens.access_token, refresh_token=refresh_token, expires_in=tokens.expires_in)


class KeySet(View):
    """RFC 7517."""

    keys: list[dict[str, Any]]

    @classmethod
    def of(cls, keys: dict[str, Any]) -> Self:
        return cls.model_validate(keys)


class ActiveOrganization(RequestBody):
    org_id: OrgId


class ActiveOrganizationSwitched(View):
    active_org_id: OrgId

    @classmethod
    def of(cls, profile: Profile) -> Self:
        return cls.model_validate(profile, from_attributes=True)
