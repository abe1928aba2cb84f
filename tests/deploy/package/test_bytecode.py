"""Compiled modules of libraries: without sources, and only on request without docstrings."""

import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from deploy.package import bytecode

SOURCE = '''"""The module's."""
from __future__ import annotations

class Only:
    """All that it has."""

def checked(value):
    """The function's."""
    assert value in {"one", "two", "three"}, "kept"
    return value
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With SOURCE as the module `leaf` of a package, not compiled yet."""
    folder = tmp_path / "site"
    (folder / "tree").mkdir(parents=True)
    (folder / "tree/__init__.py").write_text("")
    (folder / "tree/leaf.py").write_text(SOURCE)
    return folder


def compile_in_process(folder: Path, seed: str) -> bytes:
    command = [sys.executable, "-X", "no_debug_ranges", bytecode.__file__, "--without-docstrings", str(folder)]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=60, check=True)
    return (folder / "tree/leaf.pyc").read_bytes()


def test_lines_and_assertions_stay_and_docstrings_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_in_process(folder, "0")
    assert not list(folder.rglob("*.py"))
    monkeypatch.syspath_prepend(folder)
    from tree import leaf  # type: ignore[import-not-found]

    assert (leaf.__doc__, leaf.Only.__doc__, leaf.checked.__doc__) == (None, None, None)
    assert leaf.checked("two") == "two"
    with pytest.raises(AssertionError, match="kept") as failed:
        leaf.checked("four")
    last = traceback.extract_tb(failed.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == ("tree/leaf.py", 9)


def test_docstrings_stay_unless_asked(folder: Path) -> None:
    code = bytecode.compile_module((folder / "tree/leaf.py").read_bytes(), "tree/leaf.py", docstrings=True)
    assert b"The function's." in code
    code = bytecode.compile_module((folder / "tree/leaf.py").read_bytes(), "tree/leaf.py", docstrings=False)
    assert b"The function's." not in code


def test_the_same_source_gives_the_same_bytes(folder: Path) -> None:
    first = compile_in_process(folder, "1")
    (folder / "tree/leaf.py").write_text(SOURCE)
    (folder / "tree/__init__.py").write_text("")
    assert compile_in_process(folder, "2") == first


def test_what_is_not_python_is_refused(folder: Path) -> None:
    (folder / "tree/leaf.py").write_text("def (:")
    with pytest.raises(SyntaxError):
        bytecode.main(folder, docstrings=True)
