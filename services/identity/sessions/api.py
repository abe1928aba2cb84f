"""Routes of sessions, and of the organization that they work in."""

from fastapi import APIRouter

from chassis.errors import Unauthenticated
from chassis.http.guard import Anonymous, Bearer, SignedIn
from chassis.http.route import Route
from services.identity.accounts.api import Visitor
from services.identity.sessions import usecases
from services.identity.sessions.schemas import (
    ActiveOrganization,
    ActiveOrganizationSwitched,
    KeySet,
    Refresh,
    Session,
    SignIn,
)

router = APIRouter(prefix="/v1", tags=["identity"], route_class=Route)


@router.post("/auth/sign-in")
async def sign_in(scope: Visitor, body: SignIn) -> Session:
    """Get tokens for an address and its password."""
    return Session.of(await usecases.sign_in(scope, body.email, body.password.get_secret_value()))


@router.post("/auth/refresh")
async def refresh_tokens(scope: Visitor, body: Refresh) -> Session:
    """Get a new access token, with your present organization and role."""
    return Session.of(await usecases.refresh(scope, body.refresh_token))


@router.post("/auth/sign-out", status_code=204)
async def sign_out(scope: SignedIn, token: Bearer) -> None:
    """End all your sessions. Access tokens that were issued before stay valid until they expire."""
    if token is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    await usecases.sign_out(scope, token.credentials)


@router.get("/auth/keys")
async def show_keys(scope: Anonymous) -> KeySet:
    """The public keys that verify access tokens, where there is no Cognito; Cognito publishes its own."""
    return KeySet.of(await usecases.published_keys(scope))


@router.put("/me/active-organization")
async def switch_organization(scope: SignedIn, body: ActiveOrganization) -> ActiveOrganizationSwitched:
    """Switch to another of my organizations. Refresh the token afterwards: it then names that organization."""
    return ActiveOrganizationSwitched.of(await usecases.switch_organization(scope, body.org_id))
