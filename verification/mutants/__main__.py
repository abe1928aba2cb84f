"""Command line of the mutants: exits with 1 if a planted bug is not noticed, with 2 if nothing can be planted."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import verification.mutants
from verification.mutants.planted import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
SECONDS = 400
PYTEST_PASSED, PYTEST_FAILED = 0, 1


class PlantingError(Exception):
    """A mutant that cannot be planted, or whose tests cannot run."""


@contextmanager
def copy_tree() -> Iterator[Path]:
    """A copy of the tracked files of the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name in filter(None, listed.split("\0")):
            if (source := ROOT / name).is_file():
                (target := Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        (Path(folder) / ".local").mkdir()
        (Path(folder) / ".local/emulator-venv").symlink_to(ROOT / ".local/emulator-venv")
        yield Path(folder)


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests. Returns pytest's exit status and the end of its output; a run that hangs has failed.

    Raises PlantingError if pytest cannot run.
    """
    sources = [tree, tree / "awsjson/src", tree / "faststream-sqs/src"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, check=False, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return PYTEST_FAILED, f"The tests did not end within {SECONDS} s."
    output = done.stdout.decode()[-2000:]
    if done.returncode not in {PYTEST_PASSED, PYTEST_FAILED}:
        raise PlantingError(f"pytest cannot run {' '.join(tests)}: {output}")
    return done.returncode, output


def is_noticed(tree: Path, mutant: Mutant) -> bool:
    """Plant a bug, and say whether its tests fail. Raises PlantingError if it cannot be planted."""
    path = tree / mutant.file
    source = path.read_text()
    if source.count(mutant.before) != 1:
        raise PlantingError(f"the code that it changes is {source.count(mutant.before)} times in {mutant.file}")
    path.write_text(source.replace(mutant.before, mutant.after))
    try:
        return run_tests(tree, mutant.tests)[0] == PYTEST_FAILED
    finally:
        path.write_text(source)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.mutants",
        description=verification.mutants.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="plant only bugs whose names contain all the words")
    words = parser.parse_args(arguments).words
    chosen = [mutant for mutant in MUTANTS if all(word in mutant.name for word in words)]
    survivors = 0
    with copy_tree() as tree:
        tests = tuple(sorted({test for mutant in chosen for test in mutant.tests}))
        if not tests:
            print(f"The name of no bug contains {' '.join(words)}.")
            return 2
        status, output = run_tests(tree, tests)
        if status != PYTEST_PASSED:
            print(f"{output}\nThe tests must pass without any bug.")
            return 2
        for mutant in chosen:
            try:
                result = "noticed" if is_noticed(tree, mutant) else "SURVIVED"
            except PlantingError as problem:
                result = f"NOT PLANTED: {problem}"
            survivors += result != "noticed"
            print(f"{result:<10} {mutant.name}", flush=True)
    print(f"{len(chosen)} bugs planted, {len(chosen) - survivors} noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
