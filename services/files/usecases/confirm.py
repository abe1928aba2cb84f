"""The store says that it has an object: it becomes the file that was asked for, or it goes."""

from dataclasses import replace

import structlog

from chassis.work.scope import OrgScope
from contracts.files import v1 as events
from services.files.model import File
from services.files.ports import StoredObject
from services.files.repository import FileObjects, Files
from services.files.sniffing import HEAD_BYTES, agrees, sniff

log = structlog.get_logger(__name__)


async def confirm_upload(scope: OrgScope, file_id: str, version: str | None) -> None:
    """Confirm or reject the awaited file by what was really uploaded; delete an object that no file is waiting for.

    An object is deleted only after the rejection is stored, and again by every repetition of the event, which is not
    acknowledged before that: wherever a process dies, neither an unexplained loss nor an orphan remains.
    """
    objects = FileObjects(scope)
    stored = await objects.find_original(file_id, version)
    if stored is None:
        log.info("object_gone", file=file_id)
        return
    file = await Files(scope).find(file_id)
    if file is None or not file.awaited:
        await _clear(objects, file_id, file, stored)
        return
    # The store begins no chain of events: this one goes on from the request.
    scope = replace(scope, cause=replace(scope.cause, correlation_id=file.correlation_id))
    reason = await _difference(objects, file, stored)
    if reason is None:
        await _accept(scope, file.uploaded(stored.version))
        return
    await _reject(scope, file.rejected(reason), reason)
    await objects.delete_original(file_id, stored.version)


async def _clear(objects: FileObjects, file_id: str, file: File | None, stored: StoredObject) -> None:
    """Never asked for, forgotten, rejected, or put over the confirmed one with the same form: it counts for nothing."""
    if file is not None and file.stored and file.object_version == stored.version:
        return
    log.warning("object_unwanted", file=file_id, known=file is not None)
    await objects.delete_original(file_id, stored.version)


async def _difference(objects: FileObjects, file: File, stored: StoredObject) -> str | None:
    """What the object is that was not announced, in words for its owner; None if it is as announced."""
    if stored.size != file.size:
        return f"The file was announced with {file.size} bytes, but it has {stored.size}."
    if stored.content_type != file.content_type:
        return f"The file was announced as {file.content_type}, but it was uploaded as {stored.content_type}."
    head = await objects.read_original(file.id, stored.version, max_bytes=HEAD_BYTES)
    found = sniff(head or b"")
    if agrees(file.content_type, found):
        return None
    return f"The file was announced as {file.content_type}, but it is {found or 'something else'}."


async def _accept(scope: OrgScope, file: File) -> None:
    unit = scope.unit_of_work()
    file = Files(scope).save(unit, file)
    unit.publish(
        events.FileUploaded(
            file_id=file.id, name=file.name, content_type=file.content_type, size=file.size, owner_id=file.owner_id
        ),
        version=file.version,
    )
    await unit.commit()


async def _reject(scope: OrgScope, file: File, reason: str) -> None:
    unit = scope.unit_of_work()
    file = Files(scope).save(unit, file)
    unit.publish(
        events.FileRejected(file_id=file.id, name=file.name, reason=reason, owner_id=file.owner_id),
        version=file.version,
    )
    await unit.commit()
