"""Use cases of uploads: a member requests a form, and the store's event confirms or rejects what was uploaded."""

from dataclasses import replace
from datetime import timedelta

import structlog

from chassis.work.scope import OrgScope
from services.files.content.model import HEAD_BYTES, check_allowed
from services.files.uploads.model import FORM_SECONDS, File, RequestedUpload
from services.files.uploads.repository import FileObjects, FileRepository

log = structlog.get_logger(__name__)


async def request_upload(scope: OrgScope, *, name: str, content_type: str, size: int) -> RequestedUpload:
    """Store the file as awaited, and return the form to upload it with.

    The form comes first: if none can be made, nothing is stored. Raises what `check_allowed` raises, and Unavailable.
    """
    check_allowed(content_type, size)
    file = File(
        id=scope.new_id("file"),
        name=name,
        content_type=content_type,
        size=size,
        owner_id=scope.actor.person_id,
        created_at=scope.now(),
        correlation_id=scope.cause.correlation_id,
    )
    form = await FileObjects(scope).form(file)
    expires_at = scope.now() + timedelta(seconds=FORM_SECONDS)
    unit = scope.unit_of_work()
    saved = FileRepository(scope).create(unit, file)
    unit.publish(saved.requested_event(), version=saved.version)
    return await unit.answer(RequestedUpload(saved, form, expires_at))


async def confirm_upload(scope: OrgScope, file_id: str, version: str | None) -> None:
    """Confirm or reject the awaited file by what was really uploaded; delete an object that no file is waiting for.

    An object is deleted only after the rejection is stored, and again by every repetition of the event, which is not
    acknowledged before that: wherever a process dies, neither an unexplained loss nor an orphan remains.
    """
    objects, files = FileObjects(scope), FileRepository(scope)
    stored = await objects.find_original(file_id, version)
    if stored is None:
        log.info("object_gone", file=file_id)
        return
    file = await files.find(file_id)
    if file is None or not file.is_awaited:
        if file is None or not (file.is_stored and file.object_version == stored.version):
            # Never asked for, forgotten, rejected, or put over the confirmed one with the same form.
            log.warning("object_unwanted", file=file_id, known=file is not None)
            await objects.delete_original(file_id, stored.version)
        return
    difference = file.difference_of_object(stored)
    if difference is None:
        head = await objects.read_original(file_id, stored.version, max_bytes=HEAD_BYTES)
        difference = file.difference_of_content(head or b"")
    # The store begins no chain of events: this one goes on from the request.
    unit = replace(scope, cause=replace(scope.cause, correlation_id=file.correlation_id)).unit_of_work()
    if difference is None:
        saved = files.save(unit, file.confirm(stored.version))
        unit.publish(saved.uploaded_event(), version=saved.version)
        await unit.commit()
    else:
        saved = files.save(unit, file.reject(difference))
        unit.publish(saved.rejected_event(difference), version=saved.version)
        await unit.commit()
        await objects.delete_original(file_id, stored.version)
