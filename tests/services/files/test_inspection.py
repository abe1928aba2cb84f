"""What the real inspector finds in good, turned, broken, protected, oversized and hostile files."""

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


def failed(found: Inspection) -> list[str]:
    return [failure["step"] for failure in found.failures]


async def test_a_photo(inspector: ProcessInspector, sample: Sample) -> None:
    found = await inspector.inspect(sample("lake-at-dawn.jpg"), "image/jpeg")
    assert found.metadata == ImageMetadata(width=1600, height=1067, format="jpeg", orientation=1)
    assert found.thumbnail == Thumbnail(width=320, height=213)
    assert (found.text, found.failures) == (None, ())
    small = pyvips.Image.new_from_buffer(found.thumbnail_webp, "")
    assert (small.get("vips-loader"), small.width, small.height) == ("webpload_buffer", 320, 213)


async def test_a_turned_photo_comes_out_upright_and_without_its_metadata(
    inspector: ProcessInspector, sample: Sample
) -> None:
    content = sample("valley-upright.jpg")
    stored = pyvips.Image.new_from_buffer(content, "")
    assert (stored.width, stored.height, stored.get("orientation")) == (1600, 1067, 6)
    found = await inspector.inspect(content, "image/jpeg")
    assert found.metadata == ImageMetadata(width=1067, height=1600, format="jpeg", orientation=6)
    assert found.thumbnail == Thumbnail(width=213, height=320)
    small = pyvips.Image.new_from_buffer(found.thumbnail_webp, "")
    upright = stored.autorot().thumbnail_image(213, height=320, size="force")
    difference = (small.colourspace("b-w")[0] - upright.colourspace("b-w")[0]).abs().avg()
    assert difference < 10
    assert not [name for name in small.get_fields() if name.startswith(("exif", "xmp", "icc", "orientation"))]


async def test_a_picture_with_a_palette(inspector: ProcessInspector, sample: Sample) -> None:
    found = await inspector.inspect(sample("night-over-the-ridge.png"), "image/png")
    assert found.metadata == ImageMetadata(width=840, height=560, format="png")
    assert found.thumbnail == Thumbnail(width=320, height=213)


@pytest.mark.parametrize("name", ["webp", "gif", "jpeg", "png"])
def test_a_small_picture_is_not_enlarged(name: str) -> None:
    found = look_at_image(picture(20, 10, f".{name}"), f"image/{name}")
    assert found.thumbnail == {"width": 20, "height": 10}


async def test_a_document(inspector: ProcessInspector, sample: Sample) -> None:
    found = await inspector.inspect(sample("first-quarter-plan.pdf"), "application/pdf")
    assert found.metadata == DocumentMetadata(pages=4, title="First quarter plan")
    assert found.thumbnail == Thumbnail(width=227, height=320)
    text = found.text_utf8.decode()
    assert found.text == Text(pages=4, characters=len(text), truncated=False)
    assert "acme makes software for shops that rent out tools and machines." in text
    assert text.count("\f") == 3
    assert "\r" not in text
    small = pyvips.Image.new_from_buffer(found.thumbnail_webp, "").colourspace("b-w")[0]
    assert (small.width, small.height) == (227, 320)
    assert LIGHT < small.avg() < 255  # a white page
    assert small.min() < DARK * 2  # with something on it


async def test_a_text(inspector: ProcessInspector, sample: Sample) -> None:
    content = sample("meeting-notes.txt")
    found = await inspector.inspect(content, "text/plain")
    characters = len(content.decode())
    assert found.metadata == TextMetadata(lines=32, characters=characters, encoding="utf-8")
    assert (found.thumbnail, found.text, found.failures) == (None, None, ())


def test_texts_at_their_edges() -> None:
    assert look_at_text(b"a").metadata == TextMetadata(lines=1, characters=1, encoding="us-ascii")
    assert look_at_text(b"a\n").metadata == TextMetadata(lines=1, characters=2, encoding="us-ascii")
    assert look_at_text(b"\xef\xbb\xbfa\nb").metadata == TextMetadata(lines=2, characters=3, encoding="utf-8")
    reason = "The text is not UTF-8: invalid start byte at byte 1."
    assert look_at_text(b"a\xff").failures == (Failure(step="metadata", reason=reason),)


@pytest.mark.parametrize("name", ["lake-at-dawn.jpg", "night-over-the-ridge.png"])
def test_a_truncated_picture_fails_at_its_thumbnail(sample: Sample, name: str) -> None:
    content = sample(name)
    found = look_at_image(content[: len(content) // 2], "image/jpeg")
    assert failed(found) == ["thumbnail"]
    assert found.failures[0]["reason"].startswith("The picture can't be read: ")
    assert (found.thumbnail, found.thumbnail_webp) == (None, b"")
    assert found.metadata is not None


async def test_a_picture_that_is_none_fails_at_its_metadata(inspector: ProcessInspector) -> None:
    found = await inspector.inspect(b"\x89PNG\r\n\x1a\nrubbish", "image/png")
    assert [failure.step for failure in found.failures] == ["metadata"]
    assert (found.metadata, found.thumbnail) == (None, None)


def test_too_many_pixels_are_not_decoded() -> None:
    bomb = picture(9000, 9000)
    assert len(bomb) < 1_000_000
    found = look_at_image(bomb, "image/png")
    assert failed(found) == ["thumbnail"]
    assert "81000000 pixels" in found.failures[0]["reason"]
    assert found.metadata is not None
    assert found.metadata["width"] == 9000


async def test_a_protected_document(inspector: ProcessInspector) -> None:
    found = await inspector.inspect(document(encrypt="secret"), "application/pdf")
    assert found.failures == (Failure(step="metadata", reason="The document is protected by a password."),)
    assert (found.metadata, found.thumbnail, found.text) == (None, None, None)


def test_a_broken_document() -> None:
    found = look_at_document(b"%PDF-1.7\nrubbish")
    assert failed(found) == ["metadata"]
    assert found.failures[0]["reason"].startswith("The document can't be read: ")


def test_pages_beyond_the_limit_are_not_read() -> None:
    found = look_at_document(document(pages=203))
    assert found.metadata is not None
    assert found.metadata["pages"] == 203
    assert found.text is not None
    assert (found.text["pages"], found.text["truncated"]) == (200, True)
    assert b"Hello 199" in found.text_utf8
    assert b"Hello 200" not in found.text_utf8


def test_text_beyond_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection_child, "MAX_TEXT_BYTES", 12)
    found = look_at_document(document(pages=5))
    assert len(found.text_utf8) <= 12
    assert found.text == {"pages": 2, "characters": 12, "truncated": True}


def test_a_document_without_pages_to_read_has_an_empty_text() -> None:
    written = io.BytesIO()
    canvas = Canvas(written)
    canvas.showPage()
    canvas.save()
    found = look_at_document(written.getvalue())
    assert (found.text, found.failures) == ({"pages": 1, "characters": 0, "truncated": False}, [])


async def test_what_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.files.adapters.inspector.CHILD", "tests.services.files.hanging_child")
    async with asyncio.timeout(20):
        with pytest.raises(InspectionDied, match=r"longer than 0\.2 s"):
            await ProcessInspector(seconds=0.2).inspect(picture(2, 2), "image/png")


async def test_a_process_that_dies_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.files.adapters.inspector.CHILD", "services.files.adapters.no_such_child")
    with pytest.raises(InspectionDied, match="ended with code 1"):
        await ProcessInspector().inspect(picture(2, 2), "image/png")


def test_the_process_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "secret")
    assert not [name for name in child_environment() if name.startswith("AWS")]
