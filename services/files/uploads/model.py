"""A file: its state from the request to the end of its processing, and its events. Pure."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.work.repository import Aggregate
from contracts.common import FileId, UserId
from contracts.event import Event
from contracts.files import v1 as events
from services.files.content.model import ALLOWED, Failure, Findings, Kind, Metadata, Text, Thumbnail, agrees, sniff
from services.files.ports import Form, StoredObject

FORM_SECONDS = 300
AWAITED = timedelta(days=20)
"""How long a requested file waits for the store's event. The form is good for five minutes only, but the event of what
was uploaded with it may wait 4 days in its queue and 14 as a dead letter, and must still find its file then."""
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class FileStatus(StrEnum):
    AWAITING_UPLOAD = "awaiting_upload"
    UPLOADED = "uploaded"
    READY = "ready"
    REJECTED = "rejected"


class File(Aggregate):
    """One uploaded file. `object_version` names the one object in the store that was looked at and counts."""

    id: FileId
    name: str
    content_type: str
    size: int
    owner_id: UserId
    status: FileStatus = FileStatus.AWAITING_UPLOAD
    reason: str | None = None
    object_version: str | None = None
    metadata: Metadata | None = None
    thumbnail: Thumbnail | None = None
    text: Text | None = None
    failures: tuple[Failure, ...] = ()
    created_at: datetime
    correlation_id: str

    @property
    def kind(self) -> Kind:
        return ALLOWED[self.content_type].kind

    @property
    def is_awaited(self) -> bool:
        return self.status is FileStatus.AWAITING_UPLOAD

    @property
    def is_stored(self) -> bool:
        """Whether the store has its content, and the content is what was announced."""
        return self.status in {FileStatus.UPLOADED, FileStatus.READY}

    # --- the rules of an upload

    def difference_of_object(self, stored: StoredObject) -> str | None:
        """How an object differs from what was announced, in words for the owner; None if it does not."""
        if stored.size != self.size:
            return f"The file was announced with {self.size} bytes, but it has {stored.size}."
        if stored.content_type != self.content_type:
            return f"The file was announced as {self.content_type}, but it was uploaded as {stored.content_type}."
        return None

    def difference_of_content(self, head: bytes) -> str | None:
        """The same for its first HEAD_BYTES."""
        shown = sniff(head)
        if agrees(self.content_type, shown):
            return None
        return f"The file was announced as {self.content_type}, but it is {shown or 'something else'}."

    # --- its changes

    def confirm(self, object_version: str | None) -> "File":
        return self.model_copy(update={"status": FileStatus.UPLOADED, "object_version": object_version})

    def reject(self, reason: str) -> "File":
        return self.model_copy(update={"status": FileStatus.REJECTED, "reason": reason})

    def finish(self, findings: Findings) -> "File":
        return self.model_copy(
            update={
                "status": FileStatus.READY,
                "metadata": findings.metadata,
                "thumbnail": findings.thumbnail,
                "text": findings.text,
                "failures": findings.failures,
            }
        )

    # --- its events

    def requested_event(self) -> events.UploadRequested:
        return events.UploadRequested(
            file_id=self.id, name=self.name, content_type=self.content_type, size=self.size, owner_id=self.owner_id
        )

    def uploaded_event(self) -> events.FileUploaded:
        return events.FileUploaded(
            file_id=self.id, name=self.name, content_type=self.content_type, size=self.size, owner_id=self.owner_id
        )

    def rejected_event(self, reason: str) -> events.FileRejected:
        return events.FileRejected(file_id=self.id, name=self.name, reason=reason, owner_id=self.owner_id)

    def finished_events(self) -> Iterator[Event]:
        """The events of each step that is done or failed, and one more if none failed."""
        if picture := self.thumbnail:
            yield events.ThumbnailCreated(file_id=self.id, width=picture.width, height=picture.height)
        if text := self.text:
            yield events.TextExtracted(file_id=self.id, pages=text.pages, characters=text.characters)
        for failure in self.failures:
            yield events.ProcessingFailed(file_id=self.id, step=failure.step, reason=failure.reason)
        if not self.failures:
            yield events.FileProcessed(file_id=self.id, kind=self.kind)


@dataclass(frozen=True)
class RequestedUpload:
    """A file that is awaited, the form to upload it with, and when that form expires."""

    file: File
    form: Form
    expires_at: datetime


def check_name(name: str) -> str:
    """Returns a file's name as it is. Raises ValueError for one that is not a plain name: blank, a path, or with
    characters that steer a terminal or hide how the name ends."""
    if not name.strip() or name in {".", ".."}:
        raise ValueError("must be a name")
    if "/" in name or "\\" in name:
        raise ValueError("must be a name without a path")
    if any(unicodedata.category(character) in _UNPRINTABLE or character in _BIDI_CONTROLS for character in name):
        raise ValueError("must have no control characters")
    return name
