"""Runs the suite against the newest FastStream and reports what broke: internals that moved, then tests that fail.

    python faststream-sqs/tests/latest.py [--version 0.8.1] [--pre] [pytest's options]

It creates its own environment in a temporary folder and leaves the development environment alone.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
import xml.etree.ElementTree as ElementTree  # it reads what pytest has just written
from collections.abc import Iterator
from pathlib import Path

DISTRIBUTION = Path(__file__).parents[1]
REPOSITORY = DISTRIBUTION.parent
COMPAT = DISTRIBUTION / "src/faststream_sqs/_compat.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", help="this FastStream instead of the newest")
    parser.add_argument("--pre", action="store_true", help="include pre-releases")
    options, pytest_options = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="latest-faststream-") as folder:
        python = make_environment(Path(folder), options.version, pre=options.pre)
        version = output(python, "from importlib.metadata import version; print(version('faststream'))")
        print(f"FastStream {version}")
        moved = [line for line in internals() if not imports(python, line)]
        for line in moved:
            print(f"  moved: {line}")
        failures = run_suite(python, Path(folder), pytest_options) if not moved else []
        if failures is None:
            print("  the suite could not be run")
            return 2
        for name, reason in failures:
            print(f"  fails: {name}\n         {reason}")
        print(f"FastStream {version}: " + ("nothing broke" if not moved and not failures else "see above"))
        return 1 if moved or failures else 0


def make_environment(folder: Path, version: str | None, *, pre: bool) -> Path:
    environment = folder / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin/python"
    project = tomllib.loads((DISTRIBUTION / "pyproject.toml").read_text())
    # our own bound on FastStream is left out, because it is what the run tests
    declared = project["project"]["dependencies"]
    wanted = [requirement for requirement in declared if not requirement.startswith(("faststream", "awsjson"))]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    wanted += project["dependency-groups"]["test"]
    wanted.append(f"faststream=={version}" if version else "faststream")
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*uv, "--upgrade", *(["--prerelease", "allow"] if pre else []), *wanted], check=True)
    subprocess.run([*uv, str(REPOSITORY / "awsjson")], check=True)
    subprocess.run([*uv, "--no-deps", "--editable", str(DISTRIBUTION)], check=True)
    return python


def internals() -> Iterator[str]:
    """The imports of `_compat.py`, one per line."""
    for node in ast.walk(ast.parse(COMPAT.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("faststream"):
            for name in node.names:
                yield f"from {node.module} import {name.name}"


def imports(python: Path, line: str) -> bool:
    return subprocess.run([python, "-c", line], capture_output=True, check=False).returncode == 0


def output(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def run_suite(python: Path, folder: Path, options: list[str]) -> list[tuple[str, str]] | None:
    """The names of failing tests with the reasons; None if pytest itself could not run."""
    report = folder / "report.xml"
    command: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "-o",
        f"cache_dir={folder / 'cache'}",
        f"--junitxml={report}",
    ]
    tests = DISTRIBUTION / "tests"
    done = subprocess.run([*command, *options, tests], cwd=REPOSITORY, env=dict(os.environ), check=False)
    if done.returncode not in (0, 1) or not report.exists():
        return None
    failures = []
    for case in ElementTree.parse(report).iter("testcase"):  # as above
        for problem in [*case.findall("failure"), *case.findall("error")]:
            first = (problem.get("message") or "").partition("\n")[0]
            failures.append((f"{case.get('classname')}::{case.get('name')}", first[:160]))
    return failures


if __name__ == "__main__":
    sys.exit(main())
