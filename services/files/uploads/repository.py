"""Access patterns of files in the table, and their objects in the store. Only repositories make the keys of both."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.storage.keys import ListEntry
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.scope import OrgScope
from services.files.ports import Form, ObjectStore, StoredObject
from services.files.uploads.model import AWAITED, FORM_SECONDS, File

FILES = Listing(index=1, name="FILES", shards=4)
ORIGINAL, THUMBNAIL, TEXT = "original", "thumbnail.webp", "text.txt"
WEBP, UTF8 = "image/webp", "text/plain; charset=utf-8"


class FileRepository(Repository[File]):
    """Files by id, and those with an upload by time. A requested file is in no list, and the store may forget it."""

    kind = "FILE"
    model = File

    def lists(self, aggregate: File) -> Sequence[ListEntry]:
        if aggregate.is_awaited:
            return ()
        return [FILES.entry(self.scope, aggregate.id, aggregate.created_at.isoformat())]

    def expires_at(self, aggregate: File) -> int | None:
        return int((aggregate.created_at + AWAITED).timestamp()) if aggregate.is_awaited else None

    async def newest(self, request: PageRequest) -> Page[File]:
        return await self.page(FILES, request, descending=True)


def object_key(scope: OrgScope, file_id: str, name: str) -> str:
    """The key of an object in the store. Objects of another organization cannot be named."""
    return f"{scope.org_id}/{file_id}/{name}"


class FileObjects:
    """The objects of a file: its original, and what is derived from it."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope
        self._store = scope.port(ObjectStore)

    async def form(self, file: File) -> Form:
        return await self._store.presign_post(
            object_key(self._scope, file.id, ORIGINAL),
            content_type=file.content_type,
            size=file.size,
            lifetime=timedelta(seconds=FORM_SECONDS),
        )

    async def find_original(self, file_id: str, version: str | None) -> StoredObject | None:
        return await self._store.head(object_key(self._scope, file_id, ORIGINAL), version)

    async def read_original(self, file_id: str, version: str | None, *, max_bytes: int) -> bytes | None:
        return await self._store.read(object_key(self._scope, file_id, ORIGINAL), version, max_bytes=max_bytes)

    async def delete_original(self, file_id: str, version: str | None) -> None:
        await self._store.delete(object_key(self._scope, file_id, ORIGINAL), version)

    async def put_thumbnail(self, file: File, content: bytes) -> None:
        await self._store.put(object_key(self._scope, file.id, THUMBNAIL), content, content_type=WEBP)

    async def put_text(self, file: File, content: bytes) -> None:
        await self._store.put(object_key(self._scope, file.id, TEXT), content, content_type=UTF8)
