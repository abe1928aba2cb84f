"""The wheels install alone, in an environment that has nothing else, and the README's example runs there."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from sqs_suite.test_readme import EXAMPLES

DISTRIBUTIONS = [Path(__file__).parents[2], Path(__file__).parents[3] / "awsjson"]


def run(*command: str | Path, seconds: float = 120.0, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(part) for part in command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for distribution in DISTRIBUTIONS:
        built = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
            cwd=distribution,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert built.returncode == 0, built.stderr
    return sorted(folder.glob("*.whl"))


@pytest.mark.slow
def test_a_wheel_has_the_package_and_its_types_and_nothing_else(wheels: list[Path]) -> None:
    (wheel,) = [wheel for wheel in wheels if wheel.name.startswith("faststream_sqs")]
    names = zipfile.ZipFile(wheel).namelist()
    assert "faststream_sqs/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"faststream_sqs"}


@pytest.mark.timeout(180)
@pytest.mark.slow
def test_it_installs_alone_and_runs_the_readmes_examples(wheels: list[Path], tmp_path: Path) -> None:
    environment = tmp_path / "empty"
    venv.create(environment, with_pip=False)
    python = environment / "bin/python"
    install: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *wheels]
    installed = run(*install, "--offline")
    if installed.returncode:
        installed = run(*install)
    if "Failed to fetch" in installed.stderr or "error sending request" in installed.stderr:
        pytest.skip(f"no package index can be reached: {installed.stderr}")
    assert installed.returncode == 0, installed.stderr
    for example in EXAMPLES:
        done = run(python, "-I", "-c", example)
        assert done.returncode == 0, done.stderr
    extras = "import sys, faststream_sqs; print([m for m in ('boto3', 'fastapi', 'opentelemetry') if m in sys.modules])"
    assert run(python, "-I", "-c", extras).stdout.strip() == "[]"
