"""HTTP: parse, authorize, call, render."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from chassis.auth.api_key_format import prefix
from chassis.errors import FieldError, Invalid, Unauthenticated
from chassis.http.guard import Anonymous, Bearer, Guard, SignedIn
from chassis.http.idempotency import idempotency_claim_for
from chassis.http.rendering import ShownOnce
from chassis.http.route import Route
from chassis.http.times import Moment
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope, UserScope
from contracts.common import ApiKeyId, OrgId, PermissionName, Role, UserId
from services.identity import api_keys, usecases
from services.identity.model import Email, Name, OwnedKey, Profile
from services.identity.permissions import PERMISSIONS
from services.identity.ports import Tokens


async def somebody(request: Request, scope: Anonymous) -> UserScope:
    """The scope of somebody who may repeat a request with its Idempotency-Key. Its answer is not kept: it is not
    known yet whose it is, and it may hold tokens. The effect exists once all the same."""
    return replace(scope, cause=replace(scope.cause, claim=idempotency_claim_for(request, scope)))


Somebody = Annotated[UserScope, Depends(somebody)]
guard = Guard(PERMISSIONS)
Creating = Annotated[OrgScope, Depends(guard("identity.api_key.create"))]
Listing = Annotated[OrgScope, Depends(guard("identity.api_key.list"))]
Reading = Annotated[OrgScope, Depends(guard("identity.api_key.read"))]
Rotating = Annotated[OrgScope, Depends(guard("identity.api_key.rotate"))]
Revoking = Annotated[OrgScope, Depends(guard("identity.api_key.revoke"))]

router = APIRouter(prefix="/v1", tags=["identity"], route_class=Route)

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
MAX_OVERLAP = 7 * 24 * 3600
"""Seconds."""
Token = Annotated[str, Field(min_length=1, max_length=8192)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignUp(_Body):
    email: Email
    password: Password
    name: Name
    invitation_token: str | None = Field(default=None, min_length=1, max_length=512)
    """The token of the invitation that they came by. They then get no organization of their own."""


class SignedUp(BaseModel):
    user_id: UserId
    status: Literal["confirmation_required"] = "confirmation_required"


class Address(_Body):
    email: Email


class Confirmation(_Body):
    email: Email
    code: str = Field(min_length=1, max_length=32)


class Confirmed(BaseModel):
    user_id: UserId


class SignIn(_Body):
    email: Email
    password: Password


class Refresh(_Body):
    refresh_token: Token


class Session(ShownOnce):
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token must be refreshed."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105


class KeySet(BaseModel):
    """RFC 7517."""

    keys: list[dict[str, Any]]


class OrganizationOfMine(BaseModel):
    org_id: OrgId
    role: Role


class Me(BaseModel):
    user_id: UserId
    email: str
    name: str
    active_org_id: OrgId | None
    """The organization that the next token will name."""
    organizations: list[OrganizationOfMine]


class ActiveOrganization(_Body):
    org_id: OrgId


class ActiveOrganizationSwitched(BaseModel):
    active_org_id: OrgId

    @classmethod
    def of(cls, profile: Profile) -> Self:
        return cls.model_validate(profile, from_attributes=True)


class NewApiKey(_Body):
    name: Name
    scopes: Annotated[list[PermissionName], Field(min_length=1, max_length=100)]
    """The operations that it may do, such as `tasks.task.create`. It can do none that you cannot."""
    expires_at: Moment | None = None


class Rotation(_Body):
    overlap_seconds: int = Field(default=0, ge=0, le=MAX_OVERLAP)
    """How long the secret before stays good beside the new one."""
    expires_at: Moment | None = None


class ApiKeyShown(BaseModel):
    id: ApiKeyId
    name: str
    prefix: str
    """What every secret of it begins with."""
    scopes: list[PermissionName]
    holder_id: UserId | None
    """Whom its newest secret was shown to. It works while they are a member."""
    created_at: datetime
    expires_at: datetime | None
    active: bool


class ApiKeyListed(ApiKeyShown):
    last_used_at: datetime | None
    """When a program last used it, in any service and whatever the answer was; some ten minutes late at most. Null if
    never, or not for 400 days."""

    @classmethod
    def of(cls, seen: api_keys.KeyInUse) -> Self:
        return cls(**_shown(seen.org_id, seen.key), last_used_at=seen.last_used_at)


class ApiKeyWithSecret(ApiKeyShown, ShownOnce):
    key: str
    """The key itself: send it as `X-Api-Key`. It is shown this once."""


@router.post("/auth/sign-up", status_code=201)
async def sign_up(scope: Somebody, body: SignUp) -> SignedUp:
    """Register an address. A code is sent to it, which `confirm` wants."""
    invited = body.invitation_token is not None
    password = body.password.get_secret_value()
    return SignedUp(user_id=await usecases.sign_up(scope, body.email, password, body.name, invited=invited))


@router.post("/auth/resend-code", status_code=202)
async def resend_code(scope: Somebody, body: Address) -> None:
    """Send a fresh code, if the address waits for one. The answer is the same if it does not."""
    await usecases.resend_code(scope, body.email)


@router.post("/auth/confirm")
async def confirm_address(scope: Somebody, body: Confirmation) -> Confirmed:
    """Prove with the code that the address is theirs. Repeating it changes nothing."""
    return Confirmed(user_id=await usecases.confirm(scope, body.email, body.code))


@router.post("/auth/sign-in")
async def sign_in(scope: Somebody, body: SignIn) -> Session:
    """Get tokens for an address and its password."""
    tokens = await usecases.sign_in(scope, body.email, body.password.get_secret_value())
    return _session(tokens, tokens.refresh_token or "")


@router.post("/auth/refresh")
async def refresh_tokens(scope: Somebody, body: Refresh) -> Session:
    """Get an access token with the organization and the role of now."""
    return _session(await usecases.refresh(scope, body.refresh_token), body.refresh_token)


@router.post("/auth/sign-out", status_code=204)
async def sign_out(scope: SignedIn, token: Bearer) -> None:
    """End all sessions. Access tokens already given live out their time."""
    if token is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    await usecases.sign_out(scope, token.credentials)


@router.get("/auth/keys")
async def show_keys(scope: Anonymous) -> KeySet:
    """The public keys of access tokens, in a place without Cognito; Cognito publishes its own."""
    return KeySet.model_validate(await usecases.published_keys(scope))


@router.get("/me")
async def show_me(scope: SignedIn) -> Me:
    """Who I am, and where I belong."""
    profile, account = await usecases.me(scope)
    return Me(
        user_id=profile.id,
        email=profile.email,
        name=profile.name,
        active_org_id=account.active.id if account.active else None,
        organizations=[OrganizationOfMine(org_id=each.id, role=each.role) for each in account.organizations],
    )


@router.put("/me/active-organization")
async def switch_organization(scope: SignedIn, body: ActiveOrganization) -> ActiveOrganizationSwitched:
    """Work in another of my organizations. Refresh the token afterwards: it then names that organization."""
    return ActiveOrganizationSwitched.of(await usecases.switch_organization(scope, body.org_id))


@router.post("/api-keys", status_code=201)
async def create_api_key(scope: Creating, body: NewApiKey) -> ApiKeyWithSecret:
    """Let a program act in this organization, for you. A request that is repeated does not show its secret again."""
    end = _in_future(scope, body.expires_at)
    return _with_secret(scope, await api_keys.create(scope, body.name, tuple(body.scopes), end))


@router.get("/api-keys")
async def list_api_keys(scope: Listing, page: Annotated[PageRequest, Depends()]) -> Page[ApiKeyListed]:
    """The organization's API keys, from the oldest, those revoked in the last year included."""
    found = await api_keys.page(scope, page)
    return Page(items=[ApiKeyListed.of(each) for each in found.items], next=found.next)


@router.get("/api-keys/{key_id}", response_model=ApiKeyListed)
async def read_api_key(scope: Reading, key_id: ApiKeyId) -> api_keys.KeyInUse:
    """One API key, also a revoked one."""
    return await api_keys.read(scope, key_id)


@router.post("/api-keys/{key_id}/rotate")
async def rotate_api_key(scope: Rotating, key_id: ApiKeyId, body: Rotation) -> ApiKeyWithSecret:
    """Get a new secret for an API key, in your name. The one before stays good as long as you say."""
    overlap, end = timedelta(seconds=body.overlap_seconds), _in_future(scope, body.expires_at)
    return _with_secret(scope, await api_keys.rotate(scope, key_id, overlap, end))


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_api_key(scope: Revoking, key_id: ApiKeyId) -> None:
    """Stop an API key for good, in every service."""
    await api_keys.revoke(scope, key_id)


def _in_future(scope: OrgScope, moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= scope.now():
        raise Invalid("The key would have expired already.", [FieldError("body.expires_at", "is in the past")])
    return moment


def _shown(org_id: str, key: OwnedKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": prefix(org_id, key.id),
        "scopes": list(key.scopes),
        "holder_id": key.secrets[0].holder_id if key.secrets else None,
        "created_at": key.created_at,
        "expires_at": key.good_until,
        "active": key.active,
    }


def _with_secret(scope: OrgScope, made: api_keys.NewKey) -> ApiKeyWithSecret:
    return ApiKeyWithSecret(**_shown(scope.org_id, made.key), key=made.text)


def _session(tokens: Tokens, refresh_token: str) -> Session:
    return Session(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or refresh_token,
        expires_in=tokens.expires_in,
    )
