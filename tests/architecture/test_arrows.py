"""The direction of imports is enforced, and a planted violation proves that it is."""

import shutil
import subprocess
import sys
import tomllib
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
        ("services/notify/inbox/model.py", "services.tasks.tasks.model"),
        ("chassis/work/unit_of_work.py", "services.tasks.tasks.model"),
        ("contracts/common.py", "chassis.work.unit_of_work"),
        ("services/tasks/tasks/model.py", "chassis.testing.memory"),
        ("services/tasks/tasks/model.py", "deploy.stage.stacks"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, importer: str, imported: str) -> None:
    target = copy / importer
    target.write_text(target.read_text() + f"\nimport {imported}\n")
    result = lint(copy)
    assert result.returncode != 0
    assert imported.rsplit(".", 1)[0] in result.stdout


def rooms() -> list[list[str]]:
    """The floors of the chassis, from the top down, as the linter's configuration has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [floors] = [
        each["layers"] for each in contracts if each["type"] == "layers" and "chassis.http" in str(each["layers"])
    ]
    return [floor.split(" | ") for floor in floors]


def forbidden_pairs() -> list[tuple[str, str]]:
    """`(importer, imported)` for each import that the floors forbid: upwards, and between rooms of one floor."""
    floors = rooms()
    upwards = [
        (low, high) for at, floor in enumerate(floors) for above in floors[:at] for low in floor for high in above
    ]
    beside = [(one, other) for floor in floors for one in floor for other in floor if one != other]
    return upwards + beside


def test_every_room_stands_on_a_floor() -> None:
    named = {room for floor in rooms() for room in floor}
    there = {f"chassis.{path.stem}" for path in (ROOT / "chassis").iterdir() if not path.name.startswith(("_", "."))}
    assert there - named == {"chassis.testing"}
    assert named <= there


def test_no_room_of_the_chassis_may_use_one_above_or_beside_it(copy: Path) -> None:
    """All violations are planted at once, one module for each, below TYPE_CHECKING, which hides nothing."""
    pairs = forbidden_pairs()
    for number, (importer, imported) in enumerate(pairs):
        plant(copy, importer, number, imported)
    printed = lint(copy).stdout
    assert "The rooms of the chassis have floors BROKEN" in printed
    for number, (importer, imported) in enumerate(pairs):
        assert f"{planted(importer, number)} -> {imported}" in printed, (importer, imported)


def plant(folder: Path, importer: str, number: int, imported: str) -> None:
    """A module of the room `importer` (or the module itself, where that is all of it) that imports `imported`."""
    path = folder.joinpath(*planted(importer, number).split(".")).with_suffix(".py")
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import {imported}\n")


def planted(importer: str, number: int) -> str:
    return f"{importer}.planted{number}" if (ROOT / importer.replace(".", "/")).is_dir() else importer


def test_a_circle_within_a_room_is_found(copy: Path) -> None:
    for importer, imported in (("keys", "cursors"), ("cursors", "table"), ("table", "keys")):
        module = copy / f"chassis/storage/{importer}.py"
        module.write_text(module.read_text() + f"\nimport chassis.storage.{imported}\n")
    printed = lint(copy).stdout
    assert "No circle of modules, rooms or features, TYPE_CHECKING counted BROKEN" in printed
    assert "No cycles are allowed in chassis.storage" in printed


def test_a_new_service_is_checked_at_once(copy: Path) -> None:
    new = copy / "services/planted"
    new.mkdir()
    (new / "__init__.py").touch()
    (new / "model.py").write_text('"""Its state."""\n')
    assert lint(copy).returncode == 0
    for imported in ("services.tasks.tasks.model", "chassis.testing.memory", "deploy.stage.stacks"):
        (new / "model.py").write_text(f"import {imported}\n")
        result = lint(copy)
        assert result.returncode != 0, imported
        assert "services.planted.model -> " in result.stdout
    (new / "model.py").write_text("")
    (copy / "services/tasks/tasks/model.py").write_text("import services.planted.model\n")
    assert lint(copy).returncode != 0
