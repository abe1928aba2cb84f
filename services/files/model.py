"""What may be uploaded, and a file's state from the request to the end of its processing. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import FieldError, Invalid, TooLarge, UnsupportedType
from chassis.work.repository import Aggregate
from contracts.common import FileId, UserId

KIB = 1024
MIB = 1024 * KIB
FORM_SECONDS = 300
AWAITED = timedelta(days=20)
"""How long a requested file waits for the store's event. The form is good for five minutes only, but the event of what
was uploaded with it may wait 4 days in its queue and 14 as a dead letter, and must still find its file then."""
ADDRESS_SECONDS = 300
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Kind = Literal["image", "document", "text"]
Step = Literal["metadata", "thumbnail", "text"]


@dataclass(frozen=True)
class TypeRule:
    """What is done with a type of content, and how many bytes of it may be uploaded."""

    kind: Kind
    max_bytes: int


ALLOWED = {
    "image/jpeg": TypeRule("image", 10 * MIB),
    "image/png": TypeRule("image", 10 * MIB),
    "image/webp": TypeRule("image", 10 * MIB),
    "image/gif": TypeRule("image", 10 * MIB),
    "application/pdf": TypeRule("document", 20 * MIB),
    "text/plain": TypeRule("text", 1 * MIB),
    "text/csv": TypeRule("text", 256 * KIB),
}


class FileStatus(StrEnum):
    AWAITING_UPLOAD = "awaiting_upload"
    UPLOADED = "uploaded"
    READY = "ready"
    REJECTED = "rejected"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ImageMetadata(_Value):
    """`width` and `height` are the picture's as it is seen, with its EXIF `orientation` (1 to 8) applied."""

    kind: Literal["image"] = "image"
    width: int
    height: int
    format: str
    orientation: int = 1


class DocumentMetadata(_Value):
    kind: Literal["document"] = "document"
    pages: int
    title: str | None = None


class TextMetadata(_Value):
    kind: Literal["text"] = "text"
    lines: int
    characters: int
    encoding: str


Metadata = Annotated[ImageMetadata | DocumentMetadata | TextMetadata, Field(discriminator="kind")]


class Thumbnail(_Value):
    width: int
    height: int


class Text(_Value):
    """`truncated`: the document has more pages or more text than is kept."""

    pages: int
    characters: int
    truncated: bool = False


class Failure(_Value):
    """A step that can't be done on this file, and why."""

    step: Step
    reason: str


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
    def awaited(self) -> bool:
        return self.status is FileStatus.AWAITING_UPLOAD

    @property
    def stored(self) -> bool:
        """Whether the store has its content and it was found good."""
        return self.status in {FileStatus.UPLOADED, FileStatus.READY}

    def uploaded(self, object_version: str | None) -> "File":
        return self.model_copy(update={"status": FileStatus.UPLOADED, "object_version": object_version})

    def rejected(self, reason: str) -> "File":
        return self.model_copy(update={"status": FileStatus.REJECTED, "reason": reason})

    def ready(
        self,
        metadata: ImageMetadata | DocumentMetadata | TextMetadata | None,
        thumbnail: Thumbnail | None,
        text: Text | None,
        failures: Sequence[Failure],
    ) -> "File":
        return self.model_copy(
            update={
                "status": FileStatus.READY,
                "metadata": metadata,
                "thumbnail": thumbnail,
                "text": text,
                "failures": tuple(failures),
            }
        )


def check_allowed(content_type: str, size: int) -> None:
    """Raises UnsupportedType, Invalid (an empty file) or TooLarge, each saying what is allowed."""
    rule = ALLOWED.get(content_type)
    if rule is None:
        raise UnsupportedType(f"{content_type} is not allowed; allowed are {', '.join(ALLOWED)}.")
    if size < 1:
        raise Invalid("The file is empty.", [FieldError("body.size", "must be at least 1 byte")])
    if size > rule.max_bytes:
        raise TooLarge(f"The file has {size} bytes; {content_type} may have at most {in_words(rule.max_bytes)}.")


def in_words(size: int) -> str:
    """`10 MiB (10485760 bytes)`."""
    unit, name = (MIB, "MiB") if size >= MIB else (KIB, "KiB")
    return f"{size // unit} {name} ({size} bytes)"


def checked_name(name: str) -> str:
    """A file's name as it is. Raises ValueError for what is no plain name: blank, a path, or with characters that
    steer a terminal or hide how it ends."""
    if not name.strip() or name in {".", ".."}:
        raise ValueError("must be a name")
    if "/" in name or "\\" in name:
        raise ValueError("must be a name without a path")
    if any(unicodedata.category(character) in _UNPRINTABLE or character in _BIDI_CONTROLS for character in name):
        raise ValueError("must have no control characters")
    return name


def attachment(name: str) -> str:
    """The Content-Disposition under which a browser saves a file by its own name (RFC 6266, RFC 8187)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    encoded = "".join(chr(byte) if chr(byte) in _ATTRIBUTE else f"%{byte:02X}" for byte in name.encode())
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


_ATTRIBUTE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
