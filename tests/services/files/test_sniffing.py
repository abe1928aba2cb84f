import pytest

from services.files.content.model import HEAD_BYTES, agrees, sniff


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"GIF87a..", "image/gif"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"JUNK\x24\x00\x00\x00WEBPVP8 ", None),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "application/pdf"),
        (b" %PDF-1.7", "text"),
        (b"MZ\x90\x00", None),
        (b"PK\x03\x04", None),
        (b"plain\r\n\ttext\f", "text"),
        ("Zoë, 東京".encode(), "text"),
        ("Zoë".encode("latin-1"), None),
        ("Zoë".encode("utf-16"), None),
        (b"with a \x00", None),
        (b"with an \x1b[31m", None),
        (b"with a \x7f", None),
        (b"\xef\xbb\xbfwith a mark", "text"),
        (b"", "text"),
        (b"cut in a letter \xc3", None),
        (b"x" * (HEAD_BYTES - 1) + b"\xc3", "text"),
        (b"x" * (HEAD_BYTES - 2) + b"\xc3x", None),
    ],
)
def test_the_type_that_the_first_bytes_show(head: bytes, shown: str | None) -> None:
    assert sniff(head) == shown


def test_an_announcement_agrees_with_its_own_type_only() -> None:
    assert agrees("image/png", "image/png")
    assert agrees("text/csv", "text")
    assert agrees("text/plain", "text")
    assert not agrees("image/png", "image/jpeg")
    assert not agrees("image/png", "text")
    assert not agrees("text/plain", "image/png")
    assert not agrees("text/plain", None)
