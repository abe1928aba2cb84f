"""Files and functions stay small, are not cut up for its own sake, and are named by verbs and nouns."""

import ast

import pytest

from tests.architecture.counts import (
    MAX_CALLED_ONCE,
    MAX_PARTICIPLES,
    Counts,
    _count_file,
    count,
    functions_of,
    is_participle,
    report,
)


@pytest.fixture(scope="module")
def counts() -> Counts:
    return count()


def test_no_file_is_long(counts: Counts) -> None:
    assert counts.long_files == []


def test_no_function_is_long(counts: Counts) -> None:
    assert counts.long_functions == []


def test_few_private_functions_are_called_once(counts: Counts) -> None:
    assert len(counts.called_once) <= MAX_CALLED_ONCE * len(counts.functions), "\n".join(report(counts))


def test_hardly_a_function_is_named_by_a_bare_participle(counts: Counts) -> None:
    assert len(counts.participles) <= MAX_PARTICIPLES * len(counts.functions), sorted(
        {function.name for function in counts.participles}
    )


@pytest.mark.parametrize("name", ["_moved", "told", "_kept", "written", "shown", "planned", "_taken"])
def test_a_bare_participle_is_one(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["move", "is_moved", "moved_at", "read", "set", "seed", "feed", "token", "cached"])
def test_other_names_are_not(name: str) -> None:
    assert not is_participle(name)


def test_lines_count_without_the_docstring() -> None:
    tree = ast.parse('def go() -> None:\n    """One.\n\n    Two.\n    """\n    a = 1\n    b = 2\n')
    assert [function.lines for function in functions_of(tree, "x.py")] == [3]


def test_a_private_function_that_is_called_once_is_counted() -> None:
    counts = Counts()
    _count_file(counts, "x.py", "def _a(): ...\ndef _b(): ...\ndef c():\n    _a()\n    _b()\n    _b()\n")
    assert [function.name for function in counts.called_once] == ["_a"]


def test_the_report_names_each_limit() -> None:
    counts = Counts()
    _count_file(counts, "x.py", "def told():\n" + "    a = 1\n" * 45 + "\n" * 300)
    assert list(report(counts)) == [
        "1 files, 1 functions",
        "files of more than 300 lines: 1",
        "functions of more than 40 lines: 1",
        "private and called once: 0 (0.0%, at most 10%)",
        "named by a bare participle: 1 (100.0%, at most 1%)",
    ]
