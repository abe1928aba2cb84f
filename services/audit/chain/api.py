"""The route of the chain."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.work.scope import OrgScope
from services.audit.chain.schemas import VerificationView
from services.audit.chain.usecases import verification
from services.audit.permissions import guard

router = APIRouter(prefix="/v1/audit/verification", tags=["audit"], route_class=Route)


@router.get("")
async def verify_audit_chain(scope: Annotated[OrgScope, Depends(guard("audit.chain.verify"))]) -> VerificationView:
    """Whether the organization's records are the ones that were sealed, all of them and in that order."""
    return VerificationView.of(await verification.verify(scope))
