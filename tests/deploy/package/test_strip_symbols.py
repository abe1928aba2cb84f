"""Native libraries without symbols: smaller, and they work as before."""

import os
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from deploy.package.packaging import trim
from deploy.package.strip_symbols import MAGIC, without_symbols


def library(segments: list[tuple[int, int]], size: int) -> bytes:
    """A header, the table of its segments (offset, length), and zeros."""
    header = bytearray(size)
    header[: len(MAGIC)] = MAGIC
    struct.pack_into("<QQ", header, 32, 64, size - 64)
    struct.pack_into("<HHHHH", header, 54, 56, len(segments), 64, 1, 1)
    for number, (offset, length) in enumerate(segments):
        struct.pack_into("<Q", header, 64 + number * 56 + 8, offset)
        struct.pack_into("<Q", header, 64 + number * 56 + 32, length)
    return bytes(header)


def test_all_segments_stay_and_what_stands_behind_them_goes() -> None:
    kept = without_symbols(library([(0, 500), (4096, 1000), (600, 10)], 9000))
    assert len(kept) == 5096
    assert struct.unpack_from("<Q", kept, 40) == (0,)
    assert struct.unpack_from("<HH", kept, 60) == (0, 0)
    assert without_symbols(kept) == kept


@pytest.mark.parametrize("data", [b"", b"GIF89a", MAGIC, b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_such_library_stays_as_it_is(data: bytes) -> None:
    assert without_symbols(data) == data


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other libraries")
def test_a_shortened_library_works(tmp_path: Path) -> None:
    whole = Path(str(import_module("orjson.orjson").__file__)).read_bytes()
    shortened = without_symbols(whole)
    assert len(shortened) < len(whole)
    (tmp_path / "orjson.so").write_bytes(shortened)
    code = "import orjson; print(orjson.__file__, orjson.dumps(orjson.loads('[1]')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == [str(tmp_path / "orjson.so"), "b'[1]'"], done.stderr


def test_what_else_has_the_same_file_keeps_it_whole(tmp_path: Path) -> None:
    """uv links the files that it installs to those in its cache."""
    cached = {"lib.so": library([(0, 200)], 9000), "METADATA": b"Name: lib\n\n# Lib\n"}
    (tmp_path / "site").mkdir()
    for name, data in cached.items():
        (tmp_path / name).write_bytes(data)
        os.link(tmp_path / name, tmp_path / "site" / name)
    trim(tmp_path / "site", set(), tree_shaking=True)
    assert {name: (tmp_path / name).read_bytes() for name in cached} == cached
    assert len((tmp_path / "site/lib.so").read_bytes()) == 200
    assert (tmp_path / "site/METADATA").read_bytes() == b"Name: lib\n"
