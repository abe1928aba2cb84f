"""Routes of API keys."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import ApiKeyId
from services.identity.api_keys import usecases
from services.identity.api_keys.model import KeyInUse
from services.identity.api_keys.schemas import ApiKeyListed, ApiKeyWithSecret, NewApiKey, Rotation
from services.identity.permissions import guard

router = APIRouter(prefix="/v1", tags=["identity"], route_class=Route)

Creating = Annotated[OrgScope, Depends(guard("identity.api_key.create"))]
Listing = Annotated[OrgScope, Depends(guard("identity.api_key.list"))]
Reading = Annotated[OrgScope, Depends(guard("identity.api_key.read"))]
Rotating = Annotated[OrgScope, Depends(guard("identity.api_key.rotate"))]
Revoking = Annotated[OrgScope, Depends(guard("identity.api_key.revoke"))]


@router.post("/api-keys", status_code=201)
async def create_api_key(scope: Creating, body: NewApiKey) -> ApiKeyWithSecret:
    """Create an API key for a program that acts for you. A repeated request does not show the secret again."""
    return ApiKeyWithSecret.of(await usecases.create(scope, body.name, tuple(body.scopes), body.expires_at))


@router.get("/api-keys")
async def list_api_keys(scope: Listing, page: Paged) -> Page[ApiKeyListed]:
    """The organization's API keys, oldest first, including those revoked in the last year."""
    return (await usecases.list_keys(scope, page)).map(ApiKeyListed.of)


@router.get("/api-keys/{key_id}", response_model=ApiKeyListed)  # returned as it is, so that its tag has its version
async def read_api_key(scope: Reading, key_id: ApiKeyId) -> KeyInUse:
    """One API key, revoked or not."""
    return await usecases.read(scope, key_id)


@router.post("/api-keys/{key_id}/rotate")
async def rotate_api_key(scope: Rotating, key_id: ApiKeyId, body: Rotation) -> ApiKeyWithSecret:
    """Issue a new secret, held by you. The previous secret stays valid for `overlap_seconds`."""
    overlap = timedelta(seconds=body.overlap_seconds)
    return ApiKeyWithSecret.of(await usecases.rotate(scope, key_id, overlap, body.expires_at))


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_api_key(scope: Revoking, key_id: ApiKeyId) -> None:
    """Revoke an API key for good, in every service."""
    await usecases.revoke(scope, key_id)
