"""A copy of the house in a git repository of its own, to break things in."""

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
    "docs/events.md",
    "awsjson/src",
    "faststream-sqs/src",
)
AUTHOR = ["-c", "user.name=Test", "-c", "user.email=test@tenfold.example"]


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copy(cls, folder: Path) -> "House":
        """The present house, committed once, with line endings and an index of its own."""
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=ignored)
            else:
                (folder / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / part, folder / part)
        shutil.copy(ROOT / "pyproject.toml", folder)
        house = cls(folder)
        house.git("init", "--quiet", "--initial-branch=main")
        house.run("generate")
        house.commit()
        return house

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *AUTHOR, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def commit(self) -> None:
        self.git("add", "--all", "--force", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "as it is")

    def another(self, folder: Path) -> "House":
        self.git("clone", "--quiet", "--no-hardlinks", str(self.folder), str(folder))
        return House(folder)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m deploy contracts ARGUMENTS` with the code of this house."""
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
