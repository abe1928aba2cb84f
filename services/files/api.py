"""HTTP: parse, authorize, call, render."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chassis.http.guard import Guard
from chassis.http.route import Route
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import FileId, UserId
from services.files import usecases
from services.files.model import Failure, File, FileStatus, Metadata, Text, Thumbnail, checked_name
from services.files.permissions import PERMISSIONS
from services.files.ports import Address, Form

router = APIRouter(prefix="/v1/files", tags=["files"], route_class=Route)
guard = Guard(PERMISSIONS)

Creator = Annotated[OrgScope, Depends(guard("files.file.create"))]
Reader = Annotated[OrgScope, Depends(guard("files.file.read"))]


class NewFile(BaseModel):
    """What is going to be uploaded. `size` is in bytes, and exact."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_name)]
    content_type: str = Field(min_length=1, max_length=127)
    size: int = Field(ge=0, strict=True)


class UploadView(BaseModel):
    """POST multipart/form-data to `url` before `expires_at`: all `fields`, then the content as the field `file`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class RequestedView(BaseModel):
    id: FileId
    upload: UploadView

    @classmethod
    def of(cls, requested: tuple[File, Form, datetime]) -> Self:
        file, form, expires_at = requested
        return cls(id=file.id, upload=UploadView(url=form.url, fields=form.fields, expires_at=expires_at))


class FileView(BaseModel):
    """A file. `failures` are the steps of its processing that can't be done on it."""

    id: FileId
    name: str
    content_type: str
    size: int
    status: FileStatus
    owner_id: UserId
    reason: str | None = None
    metadata: Metadata | None = None
    thumbnail: Thumbnail | None = None
    text: Text | None = None
    failures: list[Failure] = []
    version: int
    created_at: datetime


class AddressView(BaseModel):
    """Where to read it, without a token, until `expires_at`."""

    url: str
    expires_at: datetime


@router.post("", status_code=201)
async def request_upload(scope: Creator, body: NewFile) -> RequestedView:
    """Ask to upload one file. The answer is a form that the store takes; its event confirms the file."""
    requested = await usecases.request_upload(scope, name=body.name, content_type=body.content_type, size=body.size)
    return RequestedView.of(requested)


@router.get("", response_model_exclude_none=True)
async def list_files(scope: Reader, page: Annotated[PageRequest, Depends()]) -> Page[FileView]:
    """The organization's files, newest first; those that are only requested are not among them."""
    found = await usecases.list_files(scope, page)
    return Page(items=[_view(file) for file in found.items], next=found.next)


@router.get("/{file_id}", response_model_exclude_none=True)
async def get_file(scope: Reader, file_id: FileId) -> FileView:
    """One file, and how far it is."""
    return _view(await usecases.get_file(scope, file_id))


@router.get("/{file_id}/download")
async def download_file(scope: Reader, file_id: FileId) -> AddressView:
    """Where to download the file as it was uploaded."""
    return _address(await usecases.download(scope, file_id))


@router.get("/{file_id}/thumbnail")
async def get_thumbnail(scope: Reader, file_id: FileId) -> AddressView:
    """Where the small picture (WebP, at most 320 × 320) is."""
    return _address(await usecases.thumbnail(scope, file_id))


@router.get("/{file_id}/text")
async def get_text(scope: Reader, file_id: FileId) -> AddressView:
    """Where the text of a document (UTF-8, pages parted by form feeds) is."""
    return _address(await usecases.text(scope, file_id))


def _view(file: File) -> FileView:
    return FileView.model_validate(file.model_dump())


def _address(address: Address) -> AddressView:
    return AddressView(url=address.url, expires_at=address.expires_at)
