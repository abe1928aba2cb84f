"""HTTP: parse, authorize, call, render."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from chassis.auth.guard import Anonymous, Bearer, SignedIn
from chassis.context import UserScope
from chassis.errors import Unauthenticated
from chassis.http.idempotency import claim_for
from chassis.http.route import Route
from contracts.common import OrgId, Role, UserId
from services.identity import usecases
from services.identity.model import Email, Name, Profile
from services.identity.ports import Tokens


async def somebody(request: Request, scope: Anonymous) -> UserScope:
    """The scope of somebody who may repeat a request with its Idempotency-Key. Its answer is not kept: it is not
    known yet whose it is, and it may hold tokens. The effect exists once all the same."""
    return replace(scope, cause=replace(scope.cause, claim=claim_for(request, scope)))


Somebody = Annotated[UserScope, Depends(somebody)]

router = APIRouter(prefix="/v1", tags=["identity"], route_class=Route)

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
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


class Session(BaseModel):
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token must be refreshed."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105


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


def _session(tokens: Tokens, refresh_token: str) -> Session:
    return Session(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or refresh_token,
        expires_in=tokens.expires_in,
    )
