"""Views of files and of their addresses."""

from datetime import datetime
from typing import Self

from pydantic import Field

from chassis.http.schemas import View
from contracts.common import FileId, UserId
from services.files.access.model import Address
from services.files.content.model import Failure, Metadata, Text, Thumbnail
from services.files.uploads.model import File, FileStatus


class FileView(View):
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
    failures: list[Failure] = Field(default=[])
    version: int
    created_at: datetime

    @classmethod
    def of(cls, file: File) -> Self:
        return cls.model_validate(file, from_attributes=True)


class AddressView(View):
    """A URL to read it from, without a token, until `expires_at`."""

    url: str
    expires_at: datetime

    @classmethod
    def of(cls, address: Address) -> Self:
        return cls(url=address.url, expires_at=address.expires_at)
