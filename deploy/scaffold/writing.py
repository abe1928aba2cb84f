"""Writes a new service: its files, and the files that are generated from them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from string import Template

from deploy.contracts.schema_history import FILE as HISTORY
from deploy.errors import DeployError
from deploy.generation import generate_all
from deploy.scaffold.service_names import check_name, places
from deploy.services import service_names

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX, NAME = ".tmpl", "NAME"
LOCK = "requirements.lock"
STEP_SECONDS = 120


def create(name: str, root: Path) -> list[str]:
    """Write the service, its contract, its tests and its seed, and bring the generated files up to date.

    Returns lines that say what to do next. Raises DeployError; then nothing of the service remains.
    """
    check_name(name, root)
    files = {**render_templates(name), Path("services", name, LOCK): lock_without_libraries(root)}
    _run(root, "deploy", "contracts", "generate", "--check")
    history = (root / HISTORY).read_bytes()
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        code = [str(path) for path in files if path.suffix == ".py"]
        _run(root, "ruff", "check", "--quiet", "--select", "I", "--fix", *code)
        _run(root, "ruff", "format", "--quiet", *code)
        generate_all(root, _run)
    except BaseException:
        # Otherwise the history would record that the service's events were published and retired.
        (root / HISTORY).write_bytes(history)
        remove(name, root)
        raise
    return [
        f"services/{name} is written, with its event in contracts/{name} and its tests in tests/services/{name}.",
        "docs/new-service.md says what each file is for, and how to go on.",
    ]


def render_templates(name: str) -> dict[Path, str]:
    """The text of each file of the new service, by its path from the root of the repository."""
    words = {"name": name, "Name": name.capitalize()}
    return {
        Path(str(path.relative_to(TEMPLATES)).replace(NAME, name).removesuffix(SUFFIX)): Template(
            path.read_text(encoding="utf-8")
        ).substitute(words)
        for path in sorted(TEMPLATES.rglob(f"*{SUFFIX}"))
    }


def lock_without_libraries(root: Path) -> str:
    """The lock of a service that adds no libraries of its own: the versions that every service runs with.

    A new service gets the versions of its neighbours by it, and no package index is asked. Raises DeployError.
    """
    for name in service_names(root):
        folder = root / "services" / name
        if not tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]:
            return (folder / LOCK).read_text(encoding="utf-8")
    raise DeployError("every service has libraries of its own, so there is no lock to start from")


def remove(name: str, root: Path) -> None:
    """Delete everything that `create` has written for `name`, and generate again without it."""
    for path in [*places(name, root), *(root / "contracts/golden").glob(f"{name}.*")]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    generate_all(root, _run)


def _run(root: Path, module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=root, capture_output=True, text=True, check=False, timeout=STEP_SECONDS
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise DeployError(
            f"{module} {' '.join(arguments[:1])} failed: {reason[-1] if reason else 'it printed nothing'}"
        )
