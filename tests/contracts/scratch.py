"""Copies of this repository with their own git history, for tests that change them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = (
    "contracts",
    "chassis",
    "services",
    "deploy",
    "docs/asyncapi",
    "docs/deploying.md",
    "docs/events.md",
    "docs/permissions.md",
    "stages.toml",
    "awsjson/src",
    "faststream-sqs/src",
)
AUTHOR = ["-c", "user.name=Test", "-c", "user.email=test@tenfold.example"]


class Checkout:
    """A copy of the repository, and the commands that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of_this_tree(cls, folder: Path) -> "Checkout":
        """The present files in a new repository with one commit, with line endings and an index of its own."""
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=ignored)
            else:
                (folder / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / part, folder / part)
        shutil.copy(ROOT / "pyproject.toml", folder)
        checkout = cls(folder)
        checkout.git("init", "--quiet", "--initial-branch=main")
        checkout.run("generate")
        checkout.commit()
        return checkout

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *AUTHOR, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def commit(self) -> None:
        self.git("add", "--all", "--force", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "initial files")

    def clone(self, folder: Path) -> "Checkout":
        self.git("clone", "--quiet", "--no-hardlinks", str(self.folder), str(folder))
        return Checkout(folder)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m deploy contracts ARGUMENTS` with the code of this checkout."""
        return self.python("-m", "deploy", "contracts", *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        paths = [self.folder, self.folder / "awsjson/src", self.folder / "faststream-sqs/src"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=100
        )

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) >= 1, f"{path} does not say {old!r}"
        file.write_text(text.replace(old, new, 1))
