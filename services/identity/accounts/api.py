"""Routes of a registration, and the scope of callers who have not signed in."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chassis.http.guard import Anonymous
from chassis.http.idempotency import idempotency_claim_for
from chassis.http.route import Route
from chassis.work.scope import UserScope
from services.identity.accounts import usecases
from services.identity.accounts.schemas import Address, Confirmation, ConfirmedUser, SignedUp, SignUp

router = APIRouter(prefix="/v1/auth", tags=["identity"], route_class=Route)


async def visitor(request: Request, scope: Anonymous) -> UserScope:
    """The scope of a caller who has not signed in, and who may repeat a request by its Idempotency-Key. The answer is
    not kept: it is not known yet whose it is, and it may contain tokens. The effect exists once all the same."""
    return replace(scope, cause=replace(scope.cause, claim=idempotency_claim_for(request, scope)))


Visitor = Annotated[UserScope, Depends(visitor)]


@router.post("/sign-up", status_code=201)
async def sign_up(scope: Visitor, body: SignUp) -> SignedUp:
    """Register an address. A code is sent to it; pass the code to `confirm`."""
    invited = body.invitation_token is not None
    password = body.password.get_secret_value()
    return SignedUp.of(await usecases.sign_up(scope, body.email, password, body.name, invited=invited))


@router.post("/resend-code", status_code=202)
async def resend_code(scope: Visitor, body: Address) -> None:
    """Send a new code if the address is waiting for confirmation. The answer is the same if it is not."""
    await usecases.resend_code(scope, body.email)


@router.post("/confirm")
async def confirm_address(scope: Visitor, body: Confirmation) -> ConfirmedUser:
    """Confirm an address with the code that was sent to it. Repeating it changes nothing."""
    return ConfirmedUser.of(await usecases.confirm(scope, body.email, body.code))
