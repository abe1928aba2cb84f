"""Addresses of a file's objects in the store, each good for a while."""

from datetime import timedelta

from chassis.work.scope import OrgScope
from services.files.access.model import ADDRESS_SECONDS, Address, attachment
from services.files.ports import ObjectStore
from services.files.uploads.model import File
from services.files.uploads.repository import ORIGINAL, TEXT, THUMBNAIL, UTF8, WEBP, object_key


class FileAddresses:
    """Makes addresses of the objects of the scope's organization."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope
        self._store = scope.port(ObjectStore)

    async def original(self, file: File) -> Address:
        """Of the version that was looked at, whatever was put over it since; always saved, never shown in place."""
        return await self._address(file, ORIGINAL, file.object_version, file.content_type, attachment(file.name))

    async def thumbnail(self, file: File) -> Address:
        return await self._address(file, THUMBNAIL, None, WEBP, "inline")

    async def text(self, file: File) -> Address:
        return await self._address(file, TEXT, None, UTF8, "inline")

    async def _address(
        self, file: File, name: str, version: str | None, content_type: str, disposition: str
    ) -> Address:
        lifetime = timedelta(seconds=ADDRESS_SECONDS)
        expires_at = self._scope.now() + lifetime
        url = await self._store.presign_get(
            object_key(self._scope, file.id, name),
            version=version,
            content_type=content_type,
            disposition=disposition,
            lifetime=lifetime,
        )
        return Address(url, expires_at)
