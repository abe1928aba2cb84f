"""Ports: the store of objects, and the inspector of content."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.files.content.model import Findings


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
        """Allow one upload, of exactly this type and size, under exactly this key."""

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        """Returns an address that answers with the object under these two headers."""

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        """None if there is no such object."""

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        """Its first `max_bytes`, or None if there is no such object."""

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store it, over an object that has this key already."""

    async def delete(self, key: str, version: str | None) -> None:
        """Delete it for good. An absent object is fine."""


class Inspector(Protocol):
    async def inspect(self, content: bytes, content_type: str) -> Findings:
        """Raises InspectionDied. Faults of the file itself are among the failures of the findings."""
