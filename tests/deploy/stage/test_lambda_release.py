"""Releases of a service's functions on the embedded AWS: versions, the alias that moves, and a bad one taken back.

Weights of an alias and CodeDeploy are out of its reach: it keeps weights but sends every call to the alias's own
version, and has no CodeDeploy. test_runtime_template asserts these on the template.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.errors import UnhealthyError
from deploy.package.packaging import Contents, interpreter_of, package
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.health import READY
from deploy.stage.rollout import Rollout, Step
from deploy.stage.stacks import Stacks
from deploy.stage.stage import synthesize
from deploy.template import Target, platform_template, render

pytestmark = [pytest.mark.ministack, pytest.mark.slow]
SERVICE = "audit"
API = f"tenfold-one-{SERVICE}-Api"
ENTRY = "services/audit/api.py"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("state")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> dict[str, Path]:
    """The package of today, one with another comment in its API, and one whose API cannot be imported."""
    folder, interpreter = tmp_path_factory.mktemp("packages"), interpreter_of(emulator_venv())
    today = package(SERVICE, interpreter, Path(".local/deploy/packages"), contents=Contents(lambdas=True))
    source = zipfile.ZipFile(today).read(ENTRY)
    changed = {"next": source + b"\n# the next release\n", "bad": b"raise RuntimeError('cannot start')\n"}
    return {"today": today} | {name: _with(today, folder / f"{name}.zip", text) for name, text in changed.items()}


def _with(original: Path, copy: Path, text: bytes) -> Path:
    """The package with another text of its API, uncompiled."""
    compiled = ENTRY.rpartition("/")[0] + "/__pycache__/api."
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if not entry.filename.startswith(compiled):
                new.writestr(entry.filename, text if entry.filename == ENTRY else old.read(entry))
    return copy


class Operator:
    def __init__(self, emulator: Emulator) -> None:
        interpreter = interpreter_of(emulator_venv())
        target = Target(
            "one", local=True, runtime=interpreter.runtime, architecture="x86_64", lambdas=True, aliases=True
        )
        self.place = DeploymentEnvironment(emulator.aws, target, interpreter)
        self.shared = Stacks(emulator.aws).deploy(self.place.platform_stack, render(platform_template(target)))
        self.functions = emulator.aws.client("lambda")

    def step(self, built: Path) -> tuple[Rollout, Step]:
        rollout = Rollout(self.place, synthesize(self.place.target, only=[SERVICE]), {SERVICE: built})
        step = rollout.service(SERVICE, self.shared)
        assert step
        return rollout, step

    def deploy(self, built: Path) -> int:
        rollout, step = self.step(built)
        return rollout.run(step, self.shared, lambda _: None)

    def live(self) -> str:
        """The version that the alias points to."""
        return str(self.functions.get_alias(FunctionName=API, Name="live")["FunctionVersion"])

    def answers(self) -> int:
        answer = self.functions.invoke(FunctionName=f"{API}:live", Payload=json.dumps(READY).encode())
        assert "FunctionError" not in answer
        return int(json.loads(answer["Payload"].read())["statusCode"])


def test_the_alias_moves_with_a_release_and_back_from_a_bad_one(emulator: Emulator, packages: dict[str, Path]) -> None:
    operator = Operator(emulator)
    assert operator.deploy(packages["today"]) >= 2
    assert (operator.live(), operator.answers()) == ("1", 200)
    operator.deploy(packages["next"])
    assert (operator.live(), operator.answers()) == ("2", 200)

    rollout, step = operator.step(packages["bad"])
    with pytest.raises(
        UnhealthyError, match=rf"audit is unhealthy: {API}:live fails: .*cannot start; version \w+ is back"
    ):
        rollout.run(step, operator.shared, lambda _: None)
    assert operator.answers() == 200

    back = Rollout(operator.place, synthesize(operator.place.target, only=[SERVICE]), {}).earlier(
        SERVICE, operator.shared
    )
    assert back
    rollout.run(back, operator.shared, lambda _: None)
    assert operator.answers() == 200
