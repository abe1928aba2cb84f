"""Writes a new service: its files, and what is generated from them."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template

from deploy.scaffold.service_names import checked_name
from deploy.services import service_names
from deploy.stage.errors import DeployError

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX, NAME = ".tmpl", "NAME"
LOCK = "requirements.lock"
STEP_SECONDS = 120


def create(name: str, root: Path) -> list[str]:
    """Write the service, its contract, its tests and its seed, and bring the generated files up to date. Returns what
    to do next. Raises DeployError; then nothing of it is there."""
    checked_name(name, root)
    files = {**rendered(name), Path("services", name, LOCK): lock_without_libraries(root)}
    _run(root, "deploy", "contracts", "generate", "--check")
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        code = [str(path) for path in files if path.suffix == ".py"]
        _run(root, "ruff", "check", "--quiet", "--select", "I", "--fix", *code)
        _run(root, "ruff", "format", "--quiet", *code)
        _generate(root)
    except BaseException:
        _remove(files, name, root)
        raise
    return [
        f"services/{name} is there, with its event in contracts/{name} and its tests in tests/services/{name}.",
        "docs/new-service.md tells what each file is for, and how to go on.",
    ]


def rendered(name: str) -> dict[Path, str]:
    """The files from the templates, by their paths from the root of the repository."""
    words = {"name": name, "Name": name.capitalize()}
    return {
        Path(str(path.relative_to(TEMPLATES)).replace(NAME, name).removesuffix(SUFFIX)): Template(
            path.read_text(encoding="utf-8")
        ).substitute(words)
        for path in sorted(TEMPLATES.rglob(f"*{SUFFIX}"))
    }


def lock_without_libraries(root: Path) -> str:
    """The versions of what every service stands on: the lock of a service that adds nothing to it.

    So a new service runs with what its neighbours run with, and no package index is asked. Raises DeployError.
    """
    for name in service_names(root):
        folder = root / "services" / name
        if not tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]:
            return (folder / LOCK).read_text(encoding="utf-8")
    raise DeployError("every service has libraries of its own, so there is no lock to start from")


def _generate(root: Path) -> None:
    _run(root, "deploy", "contracts", "generate")
    _run(root, "deploy", "permissions")
    _run(root, "deploy", "costs", "--write")


def _remove(files: dict[Path, str], name: str, root: Path) -> None:
    """All that was written: the folders of its name, the files beside those of other services, what was generated."""
    for path in files:
        (root / path).unlink(missing_ok=True)
    for folder in ("services", "contracts", "tests/services"):
        shutil.rmtree(root / folder / name, ignore_errors=True)
    for path in _generated(name, root):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    _generate(root)


def _generated(name: str, root: Path) -> Iterator[Path]:
    yield from (root / "contracts/golden").glob(f"{name}.*")


def _run(root: Path, module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=root, capture_output=True, text=True, check=False, timeout=STEP_SECONDS
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise DeployError(f"{module} {' '.join(arguments[:1])} failed: {reason[-1] if reason else 'without a word'}")
