"""Inspects one image or document in a process of its own:
`python -m services.files.adapters.inspection_child CONTENT_TYPE`.

The content comes by standard input. Standard output is one line of JSON, then the thumbnail's bytes, then the text's.
The module imports nothing of the project, so that it starts quickly, and has no credentials: whatever a hostile file
makes the native libraries do, it reaches as little as possible, and the process can be killed.
"""

import json
import resource
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

MAX_PIXELS = 64_000_000
MAX_PAGES = 200
MAX_TEXT_BYTES = 1_000_000
MAX_TITLE = 300
MAX_REASON = 200
SIDE = 320
QUALITY = 80
PROCESSOR_SECONDS = 20
ORPHAN_SECONDS = 30
"""The process ends then even if nobody is left to kill it."""
MEMORY_BYTES = 2 * 1024**3
SIDEWAYS = range(5, 9)
"""The EXIF orientations of a picture that lies on its side."""


@dataclass
class Inspection:
    metadata: dict[str, Any] | None = None
    thumbnail: dict[str, Any] | None = None
    thumbnail_webp: bytes = b""
    text: dict[str, Any] | None = None
    text_utf8: bytes = b""
    failures: list[dict[str, str]] = field(default_factory=list)

    def fail(self, step: str, reason: str) -> None:
        self.failures.append({"step": step, "reason": reason[:MAX_REASON]})

    def keep_thumbnail(self, picture: Any) -> None:
        self.thumbnail_webp = picture.webpsave_buffer(Q=QUALITY, keep="none")
        self.thumbnail = {"width": picture.width, "height": picture.height}

    def render(self) -> bytes:
        header = {
            "metadata": self.metadata,
            "thumbnail": self.thumbnail,
            "text": self.text,
            "failures": self.failures,
            "thumbnail_bytes": len(self.thumbnail_webp),
        }
        return json.dumps(header).encode() + b"\n" + self.thumbnail_webp + self.text_utf8


def look_at_image(content: bytes, content_type: str) -> Inspection:
    import pyvips  # noqa: PLC0415  (one library per process: the other costs time and memory)

    pyvips.cache_set_max(0)
    inspection = Inspection()
    try:
        image = pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on="truncated")
        orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    except pyvips.Error as error:
        inspection.fail("metadata", _unreadable("picture", error))
        return inspection
    width, height = (image.height, image.width) if orientation in SIDEWAYS else (image.width, image.height)
    inspection.metadata = {
        "kind": "image",
        "width": width,
        "height": height,
        "format": content_type.removeprefix("image/"),
        "orientation": orientation,
    }
    if width * height > MAX_PIXELS:
        inspection.fail("thumbnail", f"The picture has {width * height} pixels; {MAX_PIXELS} are the most.")
        return inspection
    try:
        # Only now, while it is written, is the picture decoded.
        inspection.keep_thumbnail(image.thumbnail_image(SIDE, height=SIDE, size="down", output_profile="srgb"))
    except pyvips.Error as error:
        inspection.fail("thumbnail", _unreadable("picture", error))
    return inspection


def look_at_document(content: bytes) -> Inspection:
    import pypdfium2  # noqa: PLC0415
    from pypdfium2 import PdfiumError  # noqa: PLC0415

    inspection = Inspection()
    try:
        document = pypdfium2.PdfDocument(content)
        pages = len(document)
        title = document.get_metadata_value("Title")
    except PdfiumError as error:
        protected = "password" in str(error).lower()
        reason = "The document is protected by a password." if protected else _unreadable("document", error)
        inspection.fail("metadata", reason)
        return inspection
    inspection.metadata = {"kind": "document", "pages": pages, "title": title.strip("\0 \t\r\n")[:MAX_TITLE] or None}
    try:
        _picture_first_page(document, inspection)
    except PdfiumError as error:
        inspection.fail("thumbnail", _unreadable("first page", error))
    try:
        _read_text(document, inspection)
    except PdfiumError as error:
        inspection.fail("text", _unreadable("text", error))
    return inspection


def _picture_first_page(document: Any, inspection: Inspection) -> None:
    import pyvips  # noqa: PLC0415

    page = document[0]
    width, height = page.get_size()
    if min(width, height) < 1:
        inspection.fail("thumbnail", "The first page has no size.")
        return
    bitmap = page.render(scale=SIDE / max(width, height), rev_byteorder=True, prefer_bgrx=True)
    # Rounding up may have made it a pixel too large; and its fourth channel is filling, not transparency.
    raw = pyvips.Image.new_from_memory(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.n_channels, "uchar")
    drawn = raw.crop(0, 0, min(bitmap.width, SIDE), min(bitmap.height, SIDE))
    inspection.keep_thumbnail(drawn.extract_band(0, n=3).copy(interpretation="srgb"))


def _read_text(document: Any, inspection: Inspection) -> None:
    """Pages are separated by form feeds."""
    parts: list[str] = []
    size = 0
    for number in range(min(len(document), MAX_PAGES)):
        page = document[number]
        text_page = page.get_textpage()
        parts.append(text_page.get_text_range().replace("\r\n", "\n"))
        text_page.close()
        page.close()
        size += len(parts[-1].encode(errors="replace")) + 1
        if size > MAX_TEXT_BYTES:
            break
    content = "\f".join(parts).encode(errors="replace")
    kept = content[:MAX_TEXT_BYTES].decode(errors="ignore")
    inspection.text_utf8 = kept.encode()
    inspection.text = {
        "pages": len(parts),
        "characters": len(kept),
        "truncated": len(parts) < len(document) or len(content) > MAX_TEXT_BYTES,
    }


def _unreadable(what: str, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"The {what} can't be read: {lines[-1] if lines else 'no reason is given'}"


def main(arguments: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.alarm(ORPHAN_SECONDS)
    [content_type] = arguments
    content = sys.stdin.buffer.read()
    if content_type == "application/pdf":
        inspection = look_at_document(content)
    elif content_type.startswith("image/"):
        inspection = look_at_image(content, content_type)
    else:
        sys.stderr.write(f"nothing here looks into {content_type}\n")
        return 2
    sys.stdout.buffer.write(inspection.render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
