"""The README's examples run here, and from the wheel alone in an empty environment."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awsjson import AwsError, AwsJson
from awsjson_suite.emulator import REPOSITORY
from awsjson_suite.stubs import KEYS
from awsjson_suite.test_conformance import SCHEMA

PACKAGE = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
pytestmark = pytest.mark.ministack


@pytest.fixture
async def variables(ministack: str) -> dict[str, str]:
    """An environment in which the examples find an AWS with the table that they use."""
    async with AwsJson(region="eu-central-1", endpoint_url=ministack, credentials=KEYS) as client:
        try:
            await client.call("dynamodb", "DeleteTable", {"TableName": "things"})
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
        await client.call("dynamodb", "CreateTable", {"TableName": "things", **SCHEMA})
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return inherited | {"AWS_ENDPOINT_URL": ministack, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def run(*command: str | Path, cwd: Path | None = None, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example(number: int, variables: dict[str, str]) -> None:
    run(sys.executable, "-c", EXAMPLES[number], variables=variables)


@pytest.mark.slow
def test_a_wheel_alone_runs_the_example(variables: dict[str, str], tmp_path: Path) -> None:
    source = shutil.copytree(PACKAGE, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist", cwd=source)
    (wheel,) = (tmp_path / "dist").glob("awsjson-*.whl")
    python = tmp_path / "empty/bin/python"
    uv = Path(sys.executable).with_name("uv")
    # the versions in the lock: they are in uv's cache if this environment was made here, with or without a network
    pins = tmp_path / "pins.txt"
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    pins.write_text("\n".join(re.findall(r"^[a-z0-9][\w.-]*==[^ ;\\]+", lock, re.MULTILINE)), encoding="utf-8")
    offline = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "empty", variables=offline)
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", pins, wheel, variables=offline)
    installed = run(python, "-I", "-c", "import awsjson; print(awsjson.__file__)", cwd=tmp_path)
    assert installed.startswith(str(tmp_path))
    run(python, "-I", "-c", EXAMPLES[0], cwd=tmp_path, variables=variables)
