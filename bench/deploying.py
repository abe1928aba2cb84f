"""`python -m bench.deploying`: what packages weigh, what entry points import, and how long deployments take.

Seconds are of the wall clock, by the operators' commands on a copy of the code and an embedded AWS of its own, and mean
something on a quiet machine only; the ratio of the imports holds anywhere.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.entries import SERVICE, imports
from bench.figures import Report, Samples
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.package.packaging import Contents, interpreter_of, package
from deploy.services import ROOT, service_names
from deploy.stage.stage import synthesize
from deploy.template import Target

CODE = (
    "awsjson",
    "chassis",
    "contracts",
    "deploy",
    "faststream-sqs",
    "services",
    "pyproject.toml",
    "requirements.lock",
)
NATIVE = ("files", "notify")
"""Services whose own libraries are native: pictures and PDF, the layout of e-mails."""
CHANGED = f"services/{SERVICE}/api.py"
TARGET = Target("bench", local=True, lambdas=True)


def synthesis(report: Report, rounds: int) -> None:
    synthesize(TARGET)  # with the import of all services, which a command pays once
    rows = []
    for name in service_names():
        samples = Samples(name)
        for _ in range(rounds):
            start = time.perf_counter()
            synthesize(TARGET, only=[name])
            samples.values.append(time.perf_counter() - start)
        rows.append((name, samples.spread(3), "at most 0.5"))
    report.table("Template of a service and of the platform, s", ("", "s", "target"), rows)


def packages(report: Report) -> None:
    """With boto3 in them, as on the embedded AWS, and with the one of Lambda's Python."""
    rows = []
    for name in service_names():
        for boto3 in (True, False):
            built = package(
                name, interpreter_of(emulator_venv()), ROOT / ".local/deploy/packages",
                contents=Contents(lambdas=True, boto3=boto3),
            )  # fmt: skip
            with zipfile.ZipFile(built) as archive:
                files = archive.infolist()
            native = sum(one.file_size for one in files if ".so" in one.filename)
            total = sum(one.file_size for one in files)
            sizes = (built.stat().st_size, total, total - native)
            said = name if boto3 else "  with Lambda's boto3"
            target = "" if name in NATIVE else "at most 30"
            rows.append((said, *(f"{size / 1e6:.1f}" for size in sizes), str(len(files)), target))
    columns = ("", "zipped", "unpacked", "of that not native", "files", "target")
    report.table("Packages, MB", columns, rows)


@contextmanager
def scratch() -> Iterator[Path]:
    """A copy of the code, in which it may be changed, with what was built already."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder) / "code"
        root.mkdir()
        for name in CODE:
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=ignored)
            else:
                shutil.copyfile(ROOT / name, root / name)
        if (ROOT / ".local/deploy").exists():
            shutil.copytree(ROOT / ".local/deploy", root / ".local/deploy")
        yield root


def deployments(report: Report) -> None:
    rows: list[tuple[str, float, str]] = []
    with scratch() as root, tempfile.TemporaryDirectory(prefix="bench-") as state:

        def timed(what: str, emulator: Emulator, *arguments: str, said: str, target: str = "") -> None:
            rows.append((what, _command(root, emulator, *arguments, said=said), target))

        with Emulator(Path(state) / "first") as emulator:
            timed("the whole system, whatever is built", emulator, "deploy", said="tenancy: deployed")
        with Emulator(Path(state) / "second") as emulator:
            whole, one = "the whole system", ("deploy-service", SERVICE)
            timed(f"{whole}, everything built", emulator, "deploy", said="tenancy: deployed", target="60")
            timed("one service, nothing changed", emulator, *one, said="nothing to change", target="10")
            timed(f"{whole}, nothing changed", emulator, "deploy", said="up to date", target="10")
            with (root / CHANGED).open("a") as source:
                source.write("# changed\n")
            timed("one service, one line of code", emulator, *one, said=f"{SERVICE}: deployed", target="12")
    report.table(
        "Deployments to an embedded AWS in the Lambda runtime, health checks included, s", ("", "s", "target"),
        [(what, f"{seconds:.1f}", f"at most {target}" if target else "") for what, seconds, target in rows],
    )  # fmt: skip


def _command(root: Path, emulator: Emulator, *arguments: str, said: str) -> float:
    """Seconds of one of the operators' commands. Raises SystemExit if it fails or does not say what it did."""
    environment = {**os.environ, "TENFOLD_EMULATOR_VENV": str(emulator_venv()), "PYTHONPATH": str(root)}
    command = [
        sys.executable,
        "-m",
        "deploy",
        *arguments,
        "--stage",
        "bench",
        "--endpoint",
        emulator.endpoint_url,
        "--yes",
    ]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode or said not in done.stdout:
        raise SystemExit(f"{' '.join(arguments)} failed: {(done.stdout + done.stderr)[-2000:]}")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sections", nargs="*", help="synthesis, packages, imports, deployments; all without any")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    report = Report()
    sections = {
        "synthesis": lambda: synthesis(report, given.rounds),
        "packages": lambda: packages(report),
        "imports": lambda: imports(report, given.rounds),
        "deployments": lambda: deployments(report),
    }
    unknown = set(given.sections) - set(sections)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}; use {', '.join(sections)}")
    for name in given.sections or sections:
        sections[name]()


if __name__ == "__main__":
    main()
