"""Documents name files that exist; their commands are the matter of test_commands.py."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = "awsjson|bench|chassis|contracts|deploy|docs|examples|faststream-sqs|services|tests|verification"
NAMED = re.compile(rf"`((?:{PLACES})/[\w./-]+)`")
LINKED = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "services/*/README.md", "awsjson/README.md", "faststream-sqs/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "events.md"
)
TO_BE_MADE = ("billing", "tests/contracts/events/", "contracts/tasks/v2.py")
"""Files that the guides let their readers create."""


def missing(path: Path, text: str) -> list[str]:
    """Names in a document's text of files that do not exist."""
    gone = [
        name
        for name in NAMED.findall(text)
        if not (ROOT / name).exists() and not any(each in name for each in TO_BE_MADE)
    ]
    return gone + [name for name in LINKED.findall(text) if not (path.parent / name).exists()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_named_files_and_commands_exist(path: Path) -> None:
    assert missing(path, path.read_text()) == []


def test_what_is_gone_is_found() -> None:
    text = "see `chassis/gone.py` and [this](adr/gone.md)"
    assert missing(ROOT / "docs/x.md", text) == ["chassis/gone.py", "adr/gone.md"]
