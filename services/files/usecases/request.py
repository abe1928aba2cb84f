"""A member asks to upload a file and gets the form for it."""

from datetime import datetime, timedelta

from chassis.work.scope import OrgScope
from contracts.files import v1 as events
from services.files.model import FORM_SECONDS, File, check_allowed
from services.files.ports import Form
from services.files.repository import FileObjects, Files


async def request_upload(scope: OrgScope, *, name: str, content_type: str, size: int) -> tuple[File, Form, datetime]:
    """The file that is awaited, the form to upload it, and when that form expires.

    The form comes first: if none can be made, nothing is stored. Raises what `check_allowed` raises, and Unavailable.
    """
    check_allowed(content_type, size)
    wanted = File(
        id=scope.new_id("file"),
        name=name,
        content_type=content_type,
        size=size,
        owner_id=scope.actor.person_id,
        created_at=scope.now(),
        correlation_id=scope.cause.correlation_id,
    )
    form = await FileObjects(scope).form(wanted)
    expires_at = scope.now() + timedelta(seconds=FORM_SECONDS)
    unit = scope.unit_of_work()
    file = Files(scope).create(unit, wanted)
    unit.publish(
        events.UploadRequested(
            file_id=file.id, name=file.name, content_type=file.content_type, size=file.size, owner_id=file.owner_id
        ),
        version=file.version,
    )
    return await unit.answer((file, form, expires_at))
