"""Events of the files service, version 1."""

from typing import Literal

from contracts.access import Denial, KeyUse
from contracts.common import FileId, UserId
from contracts.event import Event


class UploadRequested(Event, type="files.upload.requested.v1", subject="file_id"):
    """A member was allowed to upload one file within five minutes. Audit records it."""

    file_id: FileId
    name: str
    content_type: str
    size: int
    owner_id: UserId


class FileUploaded(Event, type="files.file.uploaded.v1", subject="file_id"):
    """A file was uploaded and matches its announcement. Its processing starts; audit records it."""

    file_id: FileId
    name: str
    content_type: str
    size: int
    owner_id: UserId


class FileRejected(Event, type="files.file.rejected.v1", subject="file_id"):
    """An uploaded file does not match its announcement and was deleted. Audit records it."""

    file_id: FileId
    name: str
    reason: str
    owner_id: UserId


class ThumbnailCreated(Event, type="files.thumbnail.created.v1", subject="file_id"):
    """A thumbnail was made of an image or of a document's first page."""

    file_id: FileId
    width: int
    height: int


class TextExtracted(Event, type="files.text.extracted.v1", subject="file_id"):
    """The text of a document was extracted and can be read and searched."""

    file_id: FileId
    pages: int
    characters: int


class FileProcessed(Event, type="files.file.processed.v1", subject="file_id"):
    """All processing steps of a file are done: metadata, thumbnail, text. Audit records it."""

    file_id: FileId
    kind: Literal["image", "document", "text", "other"]


class ProcessingFailed(Event, type="files.file.processing_failed.v1", subject="file_id"):
    """A processing step of a file failed (an encrypted PDF, a broken image). The file is kept; audit records it."""

    file_id: FileId
    step: Literal["metadata", "thumbnail", "text"]
    reason: str


class AccessDenied(Denial, Event, type="files.access.denied.v1", subject="actor_id"):
    """The files service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="files.api_key.used.v1", subject="key_id"):
    """A program used its API key in the files service. Identity shows the last use of the key; audit records it."""
