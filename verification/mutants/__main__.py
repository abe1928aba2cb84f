"""`python -m verification.mutants [WORD...]`: plants each bug in a copy of the tree, and fails if no test notices.

The tests of each bug run without it first: only tests that pass can prove anything by failing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from verification.mutants.planted import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
SECONDS = 400
PYTEST_PASSED, PYTEST_FAILED = 0, 1


class NotAsPlanned(Exception):
    """A mutant that can't be planted, or whose tests say nothing."""


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what git knows, as it is in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name in filter(None, listed.split("\0")):
            if (source := ROOT / name).is_file():
                (target := Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        (Path(folder) / ".local").mkdir()
        (Path(folder) / ".local/emulator-venv").symlink_to(ROOT / ".local/emulator-venv")
        yield Path(folder)


def outcome(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """pytest's exit status and the end of what it prints; a run that hangs has failed. Raises NotAsPlanned."""
    sources = [tree, tree / "awsjson/src", tree / "faststream-sqs/src"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, check=False, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return PYTEST_FAILED, f"It did not end in {SECONDS} s."
    told = done.stdout.decode()[-2000:]
    if done.returncode not in {PYTEST_PASSED, PYTEST_FAILED}:
        raise NotAsPlanned(f"pytest can't run {' '.join(tests)}: {told}")
    return done.returncode, told


def noticed(tree: Path, mutant: Mutant) -> bool:
    """Raises NotAsPlanned."""
    path = tree / mutant.file
    source = path.read_text()
    if source.count(mutant.before) != 1:
        raise NotAsPlanned(f"what it changes stands {source.count(mutant.before)} times in {mutant.file}")
    path.write_text(source.replace(mutant.before, mutant.after))
    try:
        return outcome(tree, mutant.tests)[0] == PYTEST_FAILED
    finally:
        path.write_text(source)


def main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if all(word in mutant.name for word in words)]
    survivors = 0
    with copied() as tree:
        tests = tuple(sorted({test for mutant in chosen for test in mutant.tests}))
        if not tests:
            print(f"No bug is named {' '.join(words)}.")
            return 2
        status, told = outcome(tree, tests)
        if status != PYTEST_PASSED:
            print(f"{told}\nThe tests do not pass without any bug.")
            return 2
        for mutant in chosen:
            try:
                told = "noticed" if noticed(tree, mutant) else "SURVIVED"
            except NotAsPlanned as problem:
                told = f"NOT PLANTED: {problem}"
            survivors += told != "noticed"
            print(f"{told:<10} {mutant.name}", flush=True)
    print(f"{len(chosen)} bugs planted, {len(chosen) - survivors} noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
