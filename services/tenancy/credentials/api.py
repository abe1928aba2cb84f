"""Routes of credentials."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import CredentialName
from services.tenancy.credentials import usecases
from services.tenancy.credentials.schemas import ChangedCredential, CredentialView, NewCredential, RotationResult
from services.tenancy.permissions import guard

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.post("/organizations/{org_id}/credentials", status_code=201)
async def store_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.store"))], body: NewCredential
) -> CredentialView:
    """Store a credential for another platform. 409 if there is one of that name."""
    return CredentialView.of(await usecases.store(scope, body.name, body.platform, body.secret))


@router.put("/organizations/{org_id}/credentials/{credential_name}")
async def replace_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.store"))],
    credential_name: CredentialName,
    body: ChangedCredential,
) -> CredentialView:
    """Replace the secret and the platform of a stored credential."""
    return CredentialView.of(await usecases.replace(scope, credential_name, body.platform, body.secret))


@router.get("/organizations/{org_id}/credentials")
async def list_credentials(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.list"))], page: Paged
) -> Page[CredentialView]:
    """List the stored credentials. Secrets are never returned."""
    return (await usecases.list_credentials(scope, page)).map(CredentialView.of)


@router.delete("/organizations/{org_id}/credentials/{credential_name}", status_code=204)
async def remove_credential(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.remove"))], credential_name: CredentialName
) -> None:
    """Remove a credential and its secret."""
    await usecases.remove(scope, credential_name)


@router.post("/organizations/{org_id}/credentials/rotation")
async def rotate_credentials(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.credential.rotate"))],
) -> RotationResult:
    """Encrypt every credential under a new key, for example after a suspected leak."""
    return RotationResult.of(await usecases.rotate(scope))
