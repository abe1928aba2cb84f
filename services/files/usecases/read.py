"""What there is, and where a client can read it."""

from chassis.errors import Conflict, NotFound, NotYet
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.files.model import File, FileStatus
from services.files.ports import Address
from services.files.repository import FileObjects, Files


async def list_files(scope: OrgScope, request: PageRequest) -> Page[File]:
    """Newest first; without those that are only requested."""
    return await Files(scope).newest(request)


async def get_file(scope: OrgScope, file_id: str) -> File:
    return await Files(scope).get(file_id)


async def download(scope: OrgScope, file_id: str) -> Address:
    """Raises NotYet until the store has confirmed the file, Conflict for a rejected one."""
    file = await Files(scope).get(file_id)
    if file.status is FileStatus.REJECTED:
        raise Conflict(f"The file was rejected and deleted: {file.reason}")
    if not file.stored:
        raise NotYet("The file is not uploaded yet.")
    return await FileObjects(scope).original_address(file)


async def thumbnail(scope: OrgScope, file_id: str) -> Address:
    """Raises NotFound if the file has none (yet)."""
    file = await Files(scope).get(file_id)
    if file.thumbnail is None:
        raise NotFound("thumbnail")
    return await FileObjects(scope).thumbnail_address(file)


async def text(scope: OrgScope, file_id: str) -> Address:
    """Raises NotFound if none was taken from the file (yet)."""
    file = await Files(scope).get(file_id)
    if file.text is None:
        raise NotFound("text")
    return await FileObjects(scope).text_address(file)
