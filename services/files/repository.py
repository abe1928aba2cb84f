"""The files of an organization, and their objects in the store. Only this module makes the keys of both."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.storage.keys import ListEntry
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.scope import OrgScope
from services.files.model import ADDRESS_SECONDS, AWAITED, FORM_SECONDS, File, attachment
from services.files.ports import Address, Form, ObjectStore, StoredObject

FILES = Listing(index=1, name="FILES", shards=4)
ORIGINAL, THUMBNAIL, TEXT = "original", "thumbnail.webp", "text.txt"
WEBP, UTF8 = "image/webp", "text/plain; charset=utf-8"


class Files(Repository[File]):
    """What is only requested has no place in the list, and the store may forget it."""

    kind = "FILE"
    model = File

    def lists(self, aggregate: File) -> Sequence[ListEntry]:
        if aggregate.awaited:
            return ()
        return [FILES.entry(self.scope, aggregate.id, aggregate.created_at.isoformat())]

    def expires_at(self, aggregate: File) -> int | None:
        return int((aggregate.created_at + AWAITED).timestamp()) if aggregate.awaited else None

    async def newest(self, request: PageRequest) -> Page[File]:
        return await self.page(FILES, request, descending=True)


class FileObjects:
    """The objects of the scope's organization. None of another can be named."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope
        self._store = scope.port(ObjectStore)

    async def form(self, file: File) -> Form:
        return await self._store.presign_post(
            self._key(file.id, ORIGINAL),
            content_type=file.content_type,
            size=file.size,
            lifetime=timedelta(seconds=FORM_SECONDS),
        )

    async def find_original(self, file_id: str, version: str | None) -> StoredObject | None:
        return await self._store.head(self._key(file_id, ORIGINAL), version)

    async def read_original(self, file_id: str, version: str | None, *, max_bytes: int) -> bytes | None:
        return await self._store.read(self._key(file_id, ORIGINAL), version, max_bytes=max_bytes)

    async def delete_original(self, file_id: str, version: str | None) -> None:
        await self._store.delete(self._key(file_id, ORIGINAL), version)

    async def put_thumbnail(self, file: File, content: bytes) -> None:
        await self._store.put(self._key(file.id, THUMBNAIL), content, content_type=WEBP)

    async def put_text(self, file: File, content: bytes) -> None:
        await self._store.put(self._key(file.id, TEXT), content, content_type=UTF8)

    async def original_address(self, file: File) -> Address:
        """Of the version that was looked at, whatever was put over it since; always saved, never shown in place."""
        return await self._address(file, ORIGINAL, file.object_version, file.content_type, attachment(file.name))

    async def thumbnail_address(self, file: File) -> Address:
        return await self._address(file, THUMBNAIL, None, WEBP, "inline")

    async def text_address(self, file: File) -> Address:
        return await self._address(file, TEXT, None, UTF8, "inline")

    async def _address(
        self, file: File, name: str, version: str | None, content_type: str, disposition: str
    ) -> Address:
        lifetime = timedelta(seconds=ADDRESS_SECONDS)
        expires_at = self._scope.now() + lifetime
        url = await self._store.presign_get(
            self._key(file.id, name),
            version=version,
            content_type=content_type,
            disposition=disposition,
            lifetime=lifetime,
        )
        return Address(url, expires_at)

    def _key(self, file_id: str, name: str) -> str:
        return f"{self._scope.org_id}/{file_id}/{name}"
