"""What leaves the process: the store of objects, and the process that looks into files."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.files.model import DocumentMetadata, Failure, ImageMetadata, Text, TextMetadata, Thumbnail


@dataclass(frozen=True)
class Form:
    """A POST of multipart/form-data to `url`: these fields, then the content as the last one, called `file`."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class StoredObject:
    """An object in the store. `version` is None where the store keeps no versions."""

    size: int
    content_type: str
    version: str | None


class ObjectStore(Protocol):
    """The service's one bucket. `version` names one version of an object; None the latest.

    Every method raises Unavailable when the store does not answer in time.
    """

    async def presign_post(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Form:
        """Allows one upload, of exactly this type and size, under exactly this key."""

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        """An address that answers with the object under these two headers."""

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        """None if there is no such object."""

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        """Its first `max_bytes`, or None if there is no such object."""

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store it, over what stands there."""

    async def delete(self, key: str, version: str | None) -> None:
        """For good. An absent object is fine."""


@dataclass(frozen=True)
class Findings:
    """What is in a file. What is absent was not asked of its type, or stands among the failures."""

    metadata: ImageMetadata | DocumentMetadata | TextMetadata | None = None
    thumbnail: Thumbnail | None = None
    thumbnail_webp: bytes = b""
    text: Text | None = None
    text_utf8: bytes = b""
    failures: tuple[Failure, ...] = ()


class Inspector(Protocol):
    async def inspect(self, content: bytes, content_type: str) -> Findings:
        """Raises InspectionDied; what is wrong with the file itself stands among the failures."""


@dataclass(frozen=True)
class Address:
    """Where a client can read an object until `expires_at`."""

    url: str
    expires_at: datetime
