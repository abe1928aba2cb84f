"""Use cases of access: list files, show one, and give out addresses to read their objects from."""

from chassis.errors import Conflict, NotFound, NotYet
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.files.access.model import Address
from services.files.access.repository import FileAddresses
from services.files.uploads.model import File, FileStatus
from services.files.uploads.repository import FileRepository


async def list_files(scope: OrgScope, request: PageRequest) -> Page[File]:
    """Newest first, without files that were requested but not uploaded."""
    return await FileRepository(scope).newest(request)


async def get_file(scope: OrgScope, file_id: str) -> File:
    return await FileRepository(scope).get(file_id)


async def get_download_address(scope: OrgScope, file_id: str) -> Address:
    """Raises NotYet until the store has confirmed the file, Conflict for a rejected one."""
    file = await FileRepository(scope).get(file_id)
    if file.status is FileStatus.REJECTED:
        raise Conflict(f"The file was rejected and deleted: {file.reason}")
    if not file.is_stored:
        raise NotYet("The file is not uploaded yet.")
    return await FileAddresses(scope).original(file)


async def get_thumbnail_address(scope: OrgScope, file_id: str) -> Address:
    """Raises NotFound if the file has no thumbnail (yet)."""
    file = await FileRepository(scope).get(file_id)
    if file.thumbnail is None:
        raise NotFound("thumbnail")
    return await FileAddresses(scope).thumbnail(file)


async def get_text_address(scope: OrgScope, file_id: str) -> Address:
    """Raises NotFound if no text was taken from the file (yet)."""
    file = await FileRepository(scope).get(file_id)
    if file.text is None:
        raise NotFound("text")
    return await FileAddresses(scope).text(file)
