"""Events of the files service, version 1."""

from typing import Literal

from contracts.access import Denial, KeyUse
from contracts.common import FileId, UserId
from contracts.event import Event


class UploadRequested(Event, type="files.upload.requested.v1", subject="file_id"):
    """A member may put one file into the store, for five minutes. Audit keeps it."""

    file_id: FileId
    name: str
    content_type: str
    size: int
    owner_id: UserId


class FileUploaded(Event, type="files.file.uploaded.v1", subject="file_id"):
    """The store has the file, and it is what it was said to be. Processing begins; audit keeps it."""

    file_id: FileId
    name: str
    content_type: str
    size: int
    owner_id: UserId


class FileRejected(Event, type="files.file.rejected.v1", subject="file_id"):
    """What was uploaded is not what was announced; it is deleted. Audit keeps it."""

    file_id: FileId
    name: str
    reason: str
    owner_id: UserId


class ThumbnailCreated(Event, type="files.thumbnail.created.v1", subject="file_id"):
    """There is a small picture of the image or of the document's first page."""

    file_id: FileId
    width: int
    height: int


class TextExtracted(Event, type="files.text.extracted.v1", subject="file_id"):
    """The text of a document can be read and searched."""

    file_id: FileId
    pages: int
    characters: int


class FileProcessed(Event, type="files.file.processed.v1", subject="file_id"):
    """Every step is done: metadata, picture, text. Audit keeps it."""

    file_id: FileId
    kind: Literal["image", "document", "text", "other"]


class ProcessingFailed(Event, type="files.file.processing_failed.v1", subject="file_id"):
    """The file is kept, but a step can't be done on it (an encrypted PDF, a broken image). Audit keeps it."""

    file_id: FileId
    step: Literal["metadata", "thumbnail", "text"]
    reason: str


class AccessDenied(Denial, Event, type="files.access.denied.v1", subject="actor_id"):
    """Somebody was refused by files in their own organization. Audit keeps it."""


class ApiKeyUsed(KeyUse, Event, type="files.api_key.used.v1", subject="key_id"):
    """A program used its API key in files. Identity shows when a key was last used; audit keeps it."""
