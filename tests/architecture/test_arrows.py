"""The direction of imports is enforced, and a planted violation proves that it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("awsjson", "chassis", "contracts", "deploy", "faststream-sqs", "services")
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINT), "--no-cache"]
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_code_has_no_violation(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("services/notify/model.py", "services.tasks.model"),
        ("chassis/work/unit_of_work.py", "services.tasks.model"),
        ("contracts/common.py", "chassis.work.unit_of_work"),
        ("services/tasks/model.py", "chassis.testing.memory"),
        ("services/tasks/model.py", "deploy.stage.stacks"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, importer: str, imported: str) -> None:
    target = copy / importer
    target.write_text(target.read_text() + f"\nimport {imported}\n")
    result = lint(copy)
    assert result.returncode != 0
    assert imported.rsplit(".", 1)[0] in result.stdout


def test_a_new_service_is_checked_at_once(copy: Path) -> None:
    new = copy / "services/planted"
    new.mkdir()
    (new / "__init__.py").touch()
    (new / "model.py").write_text('"""Its state."""\n')
    assert lint(copy).returncode == 0
    for imported in ("services.tasks.model", "chassis.testing.memory", "deploy.stage.stacks"):
        (new / "model.py").write_text(f"import {imported}\n")
        result = lint(copy)
        assert result.returncode != 0, imported
        assert "services.planted.model -> " in result.stdout
    (new / "model.py").write_text("")
    (copy / "services/tasks/model.py").write_text("import services.planted.model\n")
    assert lint(copy).returncode != 0
