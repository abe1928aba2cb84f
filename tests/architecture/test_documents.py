"""Documents name only files and commands that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = "awsjson|chassis|contracts|deploy|docs|examples|faststream-sqs|services|tests"
NAMED = re.compile(rf"`((?:{PLACES})/[\w./-]+)`")
LINKED = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
COMMAND = re.compile(r"\bmake ([a-z][a-z-]+)\b(?! it| the| a | sure)")
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").glob("*/README.md")]
    if path.name != "events.md"
)
PHONY = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
TARGETS = {name for line in PHONY for name in line.split()}
TO_BE_MADE = ("billing", "tests/contracts/events/", "contracts/tasks/v2.py")
"""What guides let their readers make."""


def missing(path: Path, text: str) -> list[str]:
    """Files and commands that a document names and that do not exist."""
    gone = [
        name
        for name in NAMED.findall(text)
        if not (ROOT / name).exists() and not any(each in name for each in TO_BE_MADE)
    ]
    gone += [name for name in LINKED.findall(text) if not (path.parent / name).exists()]
    code = "\n".join(re.findall(r"`[^`\n]+`|^```sh\n.*?^```", text, re.MULTILINE | re.DOTALL))
    return gone + [f"make {name}" for name in COMMAND.findall(code) if name not in TARGETS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_named_files_and_commands_exist(path: Path) -> None:
    assert missing(path, path.read_text()) == []


def test_a_missing_file_is_found() -> None:
    text = "see `chassis/gone.py`, [this](adr/gone.md) and `make gone`\n```sh\nmake lost ARGS=1\n```\n"
    assert missing(ROOT / "docs/x.md", text) == ["chassis/gone.py", "adr/gone.md", "make gone", "make lost"]
