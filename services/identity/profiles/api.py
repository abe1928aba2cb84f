"""Routes of the caller's own profile."""

from fastapi import APIRouter

from chassis.http.guard import SignedIn
from chassis.http.route import Route
from services.identity.profiles import usecases
from services.identity.profiles.schemas import Me

router = APIRouter(prefix="/v1", tags=["identity"], route_class=Route)


@router.get("/me")
async def show_me(scope: SignedIn) -> Me:
    """My profile, my organizations, and which of them is active."""
    return Me.of(await usecases.get_account(scope))
