"""Use case of processing: inspect a confirmed file for its metadata, its thumbnail and its text."""

from chassis.errors import Rejected
from chassis.work.scope import OrgScope
from services.files.content.model import Failure, Findings
from services.files.errors import InspectionDied
from services.files.ports import Inspector
from services.files.uploads.model import FileStatus
from services.files.uploads.repository import FileObjects, FileRepository

DEATHS = 3
"""A process that dies may be the machine's fault; the third time it is the file's."""


async def process_file(scope: OrgScope, file_id: str, *, receive_count: int) -> None:
    """Store what is found in the file. A step that can't be done on it is stored as a failure, and the file is kept.

    The derived objects have fixed keys and are written before the state and the events that name them, so a repetition
    writes them again, and nothing names an object that is absent.
    """
    file = await FileRepository(scope).get(file_id)
    if file.status is not FileStatus.UPLOADED:
        return
    objects = FileObjects(scope)
    content = await objects.read_original(file.id, file.object_version, max_bytes=file.size)
    if content is None:
        raise Rejected(f"The object of {file.id} is gone from the store.")
    try:
        findings = await scope.port(Inspector).inspect(content, file.content_type)
    except InspectionDied as death:
        if receive_count < DEATHS:
            raise
        findings = Findings(failures=(Failure(step="metadata", reason=death.detail),))
    if findings.thumbnail:
        await objects.put_thumbnail(file, findings.thumbnail_webp)
    if findings.text:
        await objects.put_text(file, findings.text_utf8)
    unit = scope.unit_of_work()
    saved = FileRepository(scope).save(unit, file.finish(findings))
    for event in saved.finished_events():
        unit.publish(event, version=saved.version)
    await unit.commit()
