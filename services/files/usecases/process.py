"""A confirmed file is looked into: its metadata, its thumbnail, its text."""

from chassis.errors import Rejected
from chassis.work.scope import OrgScope
from contracts.files import v1 as events
from services.files.errors import InspectionDied
from services.files.model import Failure, File, FileStatus
from services.files.ports import Findings, Inspector
from services.files.repository import FileObjects, Files

DEATHS = 3
"""A process that dies may be the machine's fault; at the third time it is the file's."""


async def process_file(scope: OrgScope, file_id: str, *, receive_count: int) -> None:
    """Store what is in the file. What can't be done on it is stored as a failure, and the file is kept.

    The derived objects have fixed keys and are written before the state that tells of them, so a repetition writes
    them again and nothing tells of what is not there.
    """
    file = await Files(scope).get(file_id)
    if file.status is not FileStatus.UPLOADED:
        return
    objects = FileObjects(scope)
    content = await objects.read_original(file.id, file.object_version, max_bytes=file.size)
    if content is None:
        raise Rejected(f"The object of {file.id} is gone from the store.")
    found = await _inspected(scope, file, content, receive_count)
    if found.thumbnail:
        await objects.put_thumbnail(file, found.thumbnail_webp)
    if found.text:
        await objects.put_text(file, found.text_utf8)
    await _finish(scope, file, found)


async def _inspected(scope: OrgScope, file: File, content: bytes, receive_count: int) -> Findings:
    try:
        return await scope.port(Inspector).inspect(content, file.content_type)
    except InspectionDied as death:
        if receive_count < DEATHS:
            raise
        return Findings(failures=(Failure(step="metadata", reason=death.detail),))


async def _finish(scope: OrgScope, file: File, found: Findings) -> None:
    """The state and every event of it, once."""
    unit = scope.unit_of_work()
    file = Files(scope).save(unit, file.ready(found.metadata, found.thumbnail, found.text, found.failures))
    if made := file.thumbnail:
        unit.publish(
            events.ThumbnailCreated(file_id=file.id, width=made.width, height=made.height), version=file.version
        )
    if text := file.text:
        unit.publish(
            events.TextExtracted(file_id=file.id, pages=text.pages, characters=text.characters), version=file.version
        )
    for failure in file.failures:
        unit.publish(
            events.ProcessingFailed(file_id=file.id, step=failure.step, reason=failure.reason), version=file.version
        )
    if not file.failures:
        unit.publish(events.FileProcessed(file_id=file.id, kind=file.kind), version=file.version)
    await unit.commit()
