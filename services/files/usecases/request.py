"""A member asks to upload a file and gets the form for it."""

from datetime import datetime, timedelta

from chassis.context import OrgScope
from chassis.errors import Conflict
from contracts.files import v1 as events
from services.files.model import FORM_SECONDS, File, check_allowed
from services.files.ports import Form
from services.files.repository import FileObjects, Files


async def request_upload(scope: OrgScope, *, name: str, content_type: str, size: int) -> tuple[File, Form, datetime]:
    """The file that is awaited, the form to upload it, and when that form expires.

    The form comes first: if none can be made, nothing is stored. Raises what `check_allowed` raises, and Unavailable.
    A repeated request whose first answer was lost gets a fresh form for the same file.
    """
    check_allowed(content_type, size)
    files = Files(scope)
    wanted = File(
        id=scope.new_id("file"),
        name=name,
        content_type=content_type,
        size=size,
        owner_id=scope.actor.id,
        created_at=scope.now(),
        correlation_id=scope.cause.correlation_id,
    )
    form = await FileObjects(scope).form(wanted)
    expires_at = scope.now() + timedelta(seconds=FORM_SECONDS)
    made = await files.find(wanted.id) if scope.cause.claim else None
    if made is not None:
        if not made.awaited or (made.name, made.content_type, made.size) != (name, content_type, size):
            raise Conflict("This Idempotency-Key was used for an upload already; use a fresh one.")
        return made, form, expires_at
    unit = scope.unit()
    file = files.create(unit, wanted)
    unit.publish(
        events.UploadRequested(
            file_id=file.id, name=file.name, content_type=file.content_type, size=file.size, owner_id=file.owner_id
        ),
        version=file.version,
    )
    await unit.commit()
    return file, form, expires_at
