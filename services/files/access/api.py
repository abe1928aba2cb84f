"""HTTP: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import FileId
from services.files.access import usecases
from services.files.access.schemas import AddressView, FileView
from services.files.permissions import guard

router = APIRouter(prefix="/v1/files", tags=["files"], route_class=Route)

Reader = Annotated[OrgScope, Depends(guard("files.file.read"))]


@router.get("", response_model_exclude_none=True)
async def list_files(scope: Reader, page: Paged) -> Page[FileView]:
    """List the organization's files, newest first, without files that were requested but not uploaded."""
    return (await usecases.list_files(scope, page)).map(FileView.of)


@router.get("/{file_id}", response_model_exclude_none=True)
async def get_file(scope: Reader, file_id: FileId) -> FileView:
    """One file, with the state of its processing."""
    return FileView.of(await usecases.get_file(scope, file_id))


@router.get("/{file_id}/download")
async def download_file(scope: Reader, file_id: FileId) -> AddressView:
    """An address to download the file from, as it was uploaded."""
    return AddressView.of(await usecases.get_download_address(scope, file_id))


@router.get("/{file_id}/thumbnail")
async def get_thumbnail(scope: Reader, file_id: FileId) -> AddressView:
    """The address of the small picture (WebP, at most 320 × 320)."""
    return AddressView.of(await usecases.get_thumbnail_address(scope, file_id))


@router.get("/{file_id}/text")
async def get_text(scope: Reader, file_id: FileId) -> AddressView:
    """The address of a document's text (UTF-8, pages separated by form feeds)."""
    return AddressView.of(await usecases.get_text_address(scope, file_id))
