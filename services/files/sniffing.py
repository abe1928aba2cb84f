"""What a file's first bytes say that it is. Pure."""

import codecs

HEAD_BYTES = 4096
TEXT = "text"
_MAGIC = (
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/gif", 0, b"GIF87a"),
    ("image/gif", 0, b"GIF89a"),
    ("image/webp", 8, b"WEBP"),
    ("application/pdf", 0, b"%PDF-"),
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f")


def sniff(head: bytes) -> str | None:
    """The type that the first HEAD_BYTES (or all) of a file show; `text` for text in UTF-8, None for anything else."""
    for content_type, offset, magic in _MAGIC:
        if head[offset : offset + len(magic)] == magic and (offset == 0 or head[:4] == b"RIFF"):
            return content_type
    return TEXT if _looks_like_text(head) else None


def agrees(announced: str, found: str | None) -> bool:
    """Whether a file announced as `announced` may look like `found`. Every text looks alike."""
    return found == (TEXT if announced.startswith("text/") else announced)


def _looks_like_text(head: bytes) -> bool:
    if any((byte < 0x20 and byte not in _TEXT_CONTROLS) or byte == 0x7F for byte in head):
        return False
    try:
        # The last character may be cut in two where the head ends.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True
