"""Content: the types that may be uploaded, their recognition by first bytes, and what an inspection finds. Pure."""

import codecs
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import FieldError, Invalid, TooLarge, UnsupportedType

KIB = 1024
MIB = 1024 * KIB

Kind = Literal["image", "document", "text"]
Step = Literal["metadata", "thumbnail", "text"]


# --- which content is allowed


@dataclass(frozen=True)
class TypeRule:
    """The rule for a type of content: how it is processed, and how many bytes may be uploaded."""

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


# --- how it is recognized

HEAD_BYTES = 4096
TEXT = "text"
MAGIC = (
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/gif", 0, b"GIF87a"),
    ("image/gif", 0, b"GIF89a"),
    ("image/webp", 8, b"WEBP"),
    ("application/pdf", 0, b"%PDF-"),
)
"""The magic number of each type, and where it begins."""
TEXT_CONTROLS = frozenset(b"\t\n\r\f")


def sniff(head: bytes) -> str | None:
    """The type that the first HEAD_BYTES (or all) of a file show; `text` for text in UTF-8, None for anything else."""
    for content_type, offset, magic in MAGIC:
        if head[offset : offset + len(magic)] == magic and (offset == 0 or head[:4] == b"RIFF"):
            return content_type
    if any((byte < 0x20 and byte not in TEXT_CONTROLS) or byte == 0x7F for byte in head):
        return None
    try:
        # The last character may be cut in two where the head ends.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return None
    return TEXT


def agrees(announced: str, shown: str | None) -> bool:
    """Whether a file that was announced as `announced` may show the type `shown`. All texts show the same."""
    return shown == (TEXT if announced.startswith("text/") else announced)


# --- what an inspection finds in it


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ImageMetadata(Value):
    """`width` and `height` are the picture's as it is seen, with its EXIF `orientation` (1 to 8) applied."""

    kind: Literal["image"] = "image"
    width: int
    height: int
    format: str
    orientation: int = 1


class DocumentMetadata(Value):
    kind: Literal["document"] = "document"
    pages: int
    title: str | None = None


class TextMetadata(Value):
    kind: Literal["text"] = "text"
    lines: int
    characters: int
    encoding: str


Metadata = Annotated[ImageMetadata | DocumentMetadata | TextMetadata, Field(discriminator="kind")]


class Thumbnail(Value):
    width: int
    height: int


class Text(Value):
    """`truncated`: the document has more pages or more text than is kept."""

    pages: int
    characters: int
    truncated: bool = False


class Failure(Value):
    """A step that can't be done on this file, and why."""

    step: Step
    reason: str


@dataclass(frozen=True)
class Findings:
    """The result of an inspection. What is absent does not apply to the type, or is among the failures."""

    metadata: ImageMetadata | DocumentMetadata | TextMetadata | None = None
    thumbnail: Thumbnail | None = None
    thumbnail_webp: bytes = b""
    text: Text | None = None
    text_utf8: bytes = b""
    failures: tuple[Failure, ...] = ()
