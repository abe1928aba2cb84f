"""The house speaks plain English, and the lint finds what does not."""

import pytest

from tests.architecture.language import check_files, check_python, check_text, tracked

MODULE = "chassis/odd.py"


def test_the_house_is_in_order() -> None:
    assert [str(each) for each in check_files(tracked())] == []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('"""This is no list."""\n', "is no list"),  # language: planted
        ('"""A cursor that is none of\nthis list."""\n', "is none"),  # language: planted
        ('"""Owners may everything."""\n', "may everything"),  # language: planted
        ("# It was not worked\n# off.\nx = 1\n", "worked off"),  # language: planted
        ('x = "mend the contract"\n', "mend"),  # language: planted
        ('x = f"{y} stands there twice"\n', "stands there"),  # language: planted
        ('"""An event that tells of it."""\n', "tells of"),  # language: planted
        ('"""What a route returns."""\n', "What"),
        ('def go() -> None:\n    """Who has left."""\n', "Who"),
        ('class A:\n    """Where it lies."""\n', "Where"),
        ("def told() -> None: ...\n", "told"),
    ],
)
def test_a_planted_fault_is_found(source: str, text: str) -> None:
    assert text in [each.text for each in check_python(MODULE, source)]


@pytest.mark.parametrize(
    "source",
    [
        '"""There is no such thing, and it is no longer there. Nothing is None."""\n',
        '"""The wherewithal of routes."""\n',
        "def tell() -> None: ...\n",
        "def _told() -> None: ...\n",
        "assert x is None\n",
        "x = 'is no list'  # language: the words that the lint looks for\n",
    ],
)
def test_plain_english_passes(source: str) -> None:
    assert check_python(MODULE, source) == []


def test_a_finding_names_its_line_across_lines() -> None:
    [finding] = check_text("docs/x.md", "First.\nIt is\nno list.\n")  # language: planted
    assert (finding.line, finding.text) == (2, "is no list")  # language: planted
