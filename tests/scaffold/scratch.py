"""A copy of the repository that shares the environments of the original, to run its commands in."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@tenfold.example")
COMMAND_SECONDS = 400


class Checkout:
    """All files that git would commit, in a repository of their own with one commit."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._environment = environment

    @classmethod
    def copy(cls, folder: Path, **environment: str) -> "Checkout":
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        for path in filter(None, listed.stdout.split("\0")):
            if (ROOT / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, folder / path)
        (folder / ".local").mkdir()
        (ROOT / ".local/deploy").mkdir(parents=True, exist_ok=True)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        (folder / ".local/emulator-venv").symlink_to(ROOT / ".local/emulator-venv")
        (folder / ".local/deploy").symlink_to(ROOT / ".local/deploy")
        if (ROOT / ".local/mypy").is_dir():
            shutil.copytree(ROOT / ".local/mypy", folder / ".local/mypy")
        checkout = cls(folder, **environment)
        checkout.git("init", "--quiet", "--initial-branch=main")
        checkout.git("add", "--all")
        checkout.git("commit", "--quiet", "--message", "as it is")
        return checkout

    def git(self, *arguments: str) -> str:
        return self.run("git", *AUTHOR, *arguments).stdout

    def shell(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("bash", "-euo", "pipefail", "-c", script, more=more, check=False)

    def run(
        self, *command: str, more: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        # Without the variables of a make that runs these tests, such as SLOW=1: a make in here would obey them.
        outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        environment = {**outer, **self._environment, **(more or {})}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL,
        )


def commands(document: Path) -> list[str]:
    """The lines of a document's `sh` blocks, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]
