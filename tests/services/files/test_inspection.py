"""The findings of the real inspector in good, turned, broken, protected, oversized and hostile files."""

import asyncio
import io
import os
from collections.abc import Callable

import pytest
import pyvips
from reportlab.pdfgen.canvas import Canvas

from services.files.adapters import inspection_child
from services.files.adapters.inspection_child import Inspection, look_at_document, look_at_image
from services.files.adapters.inspector import ProcessInspector, child_environment, look_at_text
from services.files.content.model import DocumentMetadata, Failure, ImageMetadata, Text, TextMetadata, Thumbnail
from services.files.errors import InspectionDied

Sample = Callable[[str], bytes]
DARK, LIGHT = 60, 200


@pytest.fixture
def inspector() -> ProcessInspector:
    return ProcessInspector()


def picture(width: int, height: int, format: str = ".png") -> bytes:  # noqa: A002
    content: bytes = pyvips.Image.black(width, height, bands=3).copy(interpretation="srgb").write_to_buffer(format)
    return content


def document(pages: int = 1, text: str = "Hello", **options: str) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written, **options)
    for number in range(pages):
        canvas.drawString(72, 720, f"{text} {number}")
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def failed_steps(inspection: Inspection) -> list[str]:
    return [failure["step"] for failure in inspection.failures]


async def test_a_photo(inspector: ProcessInspector, sample: Sample) -> None:
    findings = await inspector.inspect(sample("lake-at-dawn.jpg"), "image/jpeg")
    assert findings.metadata == ImageMetadata(width=1600, height=1067, format="jpeg", orientation=1)
    assert findings.thumbnail == Thumbnail(width=320, height=213)
    assert (findings.text, findings.failures) == (None, ())
    small = pyvips.Image.new_from_buffer(findings.thumbnail_webp, "")
    assert (small.get("vips-loader"), small.width, small.height) == ("webpload_buffer", 320, 213)


async def test_a_turned_photo_comes_out_upright_and_without_its_metadata(
    inspector: ProcessInspector, sample: Sample
) -> None:
    content = sample("valley-upright.jpg")
    stored = pyvips.Image.new_from_buffer(content, "")
    assert (stored.width, stored.height, stored.get("orientation")) == (1600, 1067, 6)
    findings = await inspector.inspect(content, "image/jpeg")
    assert findings.metadata == ImageMetadata(width=1067, height=1600, format="jpeg", orientation=6)
    assert findings.thumbnail == Thumbnail(width=213, height=320)
    small = pyvips.Image.new_from_buffer(findings.thumbnail_webp, "")
    upright = stored.autorot().thumbnail_image(213, height=320, size="force")
    difference = (small.colourspace("b-w")[0] - upright.colourspace("b-w")[0]).abs().avg()
    assert difference < 10
    assert not [name for name in small.get_fields() if name.startswith(("exif", "xmp", "icc", "orientation"))]


async def test_a_picture_with_a_palette(inspector: ProcessInspector, sample: Sample) -> None:
    findings = await inspector.inspect(sample("night-over-the-ridge.png"), "image/png")
    assert findings.metadata == ImageMetadata(width=840, height=560, format="png")
    assert findings.thumbnail == Thumbnail(width=320, height=213)


@pytest.mark.parametrize("name", ["webp", "gif", "jpeg", "png"])
def test_a_small_picture_is_not_enlarged(name: str) -> None:
    findings = look_at_image(picture(20, 10, f".{name}"), f"image/{name}")
    assert findings.thumbnail == {"width": 20, "height": 10}


async def test_a_document(inspector: ProcessInspector, sample: Sample) -> None:
    findings = await inspector.inspect(sample("first-quarter-plan.pdf"), "application/pdf")
    assert findings.metadata == DocumentMetadata(pages=4, title="First quarter plan")
    assert findings.thumbnail == Thumbnail(width=227, height=320)
    text = findings.text_utf8.decode()
    assert findings.text == Text(pages=4, characters=len(text), truncated=False)
    assert "acme makes software for shops that rent out tools and machines." in text
    assert text.count("\f") == 3
    assert "\r" not in text
    small = pyvips.Image.new_from_buffer(findings.thumbnail_webp, "").colourspace("b-w")[0]
    assert (small.width, small.height) == (227, 320)
    assert LIGHT < small.avg() < 255  # a white page
    assert small.min() < DARK * 2  # with something on it


async def test_a_text(inspector: ProcessInspector, sample: Sample) -> None:
    content = sample("meeting-notes.txt")
    findings = await inspector.inspect(content, "text/plain")
    characters = len(content.decode())
    assert findings.metadata == TextMetadata(lines=32, characters=characters, encoding="utf-8")
    assert (findings.thumbnail, findings.text, findings.failures) == (None, None, ())


def test_texts_at_their_edges() -> None:
    assert look_at_text(b"a").metadata == TextMetadata(lines=1, characters=1, encoding="us-ascii")
    assert look_at_text(b"a\n").metadata == TextMetadata(lines=1, characters=2, encoding="us-ascii")
    assert look_at_text(b"\xef\xbb\xbfa\nb").metadata == TextMetadata(lines=2, characters=3, encoding="utf-8")
    reason = "The text is not UTF-8: invalid start byte at byte 1."
    assert look_at_text(b"a\xff").failures == (Failure(step="metadata", reason=reason),)


@pytest.mark.parametrize("name", ["lake-at-dawn.jpg", "night-over-the-ridge.png"])
def test_a_truncated_picture_fails_at_its_thumbnail(sample: Sample, name: str) -> None:
    content = sample(name)
    findings = look_at_image(content[: len(content) // 2], "image/jpeg")
    assert failed_steps(findings) == ["thumbnail"]
    assert findings.failures[0]["reason"].startswith("The picture can't be read: ")
    assert (findings.thumbnail, findings.thumbnail_webp) == (None, b"")
    assert findings.metadata is not None


async def test_a_broken_picture_fails_at_its_metadata(inspector: ProcessInspector) -> None:
    findings = await inspector.inspect(b"\x89PNG\r\n\x1a\nrubbish", "image/png")
    assert [failure.step for failure in findings.failures] == ["metadata"]
    assert (findings.metadata, findings.thumbnail) == (None, None)


def test_too_many_pixels_are_not_decoded() -> None:
    bomb = picture(9000, 9000)
    assert len(bomb) < 1_000_000
    findings = look_at_image(bomb, "image/png")
    assert failed_steps(findings) == ["thumbnail"]
    assert "81000000 pixels" in findings.failures[0]["reason"]
    assert findings.metadata is not None
    assert findings.metadata["width"] == 9000


async def test_a_protected_document(inspector: ProcessInspector) -> None:
    findings = await inspector.inspect(document(encrypt="secret"), "application/pdf")
    assert findings.failures == (Failure(step="metadata", reason="The document is protected by a password."),)
    assert (findings.metadata, findings.thumbnail, findings.text) == (None, None, None)


def test_a_broken_document() -> None:
    findings = look_at_document(b"%PDF-1.7\nrubbish")
    assert failed_steps(findings) == ["metadata"]
    assert findings.failures[0]["reason"].startswith("The document can't be read: ")


def test_pages_beyond_the_limit_are_not_read() -> None:
    findings = look_at_document(document(pages=203))
    assert findings.metadata is not None
    assert findings.metadata["pages"] == 203
    assert findings.text is not None
    assert (findings.text["pages"], findings.text["truncated"]) == (200, True)
    assert b"Hello 199" in findings.text_utf8
    assert b"Hello 200" not in findings.text_utf8


def test_text_beyond_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection_child, "MAX_TEXT_BYTES", 12)
    findings = look_at_document(document(pages=5))
    assert len(findings.text_utf8) <= 12
    assert findings.text == {"pages": 2, "characters": 12, "truncated": True}


def test_a_document_without_pages_to_read_has_an_empty_text() -> None:
    written = io.BytesIO()
    canvas = Canvas(written)
    canvas.showPage()
    canvas.save()
    findings = look_at_document(written.getvalue())
    assert (findings.text, findings.failures) == ({"pages": 1, "characters": 0, "truncated": False}, [])


async def test_an_inspection_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.files.adapters.inspector.CHILD", "tests.services.files.hanging_child")
    async with asyncio.timeout(20):
        with pytest.raises(InspectionDied, match=r"longer than 0\.2 s"):
            await ProcessInspector(seconds=0.2).inspect(picture(2, 2), "image/png")


async def test_a_process_that_dies_makes_no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.files.adapters.inspector.CHILD", "services.files.adapters.no_such_child")
    with pytest.raises(InspectionDied, match="ended with code 1"):
        await ProcessInspector().inspect(picture(2, 2), "image/png")


def test_the_process_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "secret")
    assert not [name for name in child_environment() if name.startswith("AWS")]
