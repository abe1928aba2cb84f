"""Measures package sizes, the imports of entry points, and the time of deployments, against their targets.

    python -m bench deploying [synthesis] [packages] [imports] [deployments]

It takes several minutes for all sections. Seconds of deployments are wall-clock time of the operators' commands, on a
copy of the code with an embedded AWS of its own, so they need a quiet machine; the ratios of imports hold on any.
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
"""Services with native libraries of their own: for images and PDF, and for the layout of e-mails."""
CHANGED = f"services/{SERVICE}/api.py"
TARGET = Target("bench", local=True, lambdas=True)


def synthesis(report: Report, rounds: int) -> None:
    """Report the time to synthesize templates."""
    synthesize(TARGET)  # imports all services, which a command does once
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
    """Report package sizes, with boto3 included as on the embedded AWS, and with the boto3 of Lambda."""
    rows = []
    for name in service_names():
        for boto3 in (True, False):
            built = package(
                name,
                interpreter_of(emulator_venv()),
                ROOT / ".local/deploy/packages",
                contents=Contents(lambdas=True, boto3=boto3),
            )
            with zipfile.ZipFile(built) as archive:
                files = archive.infolist()
            native = sum(file.file_size for file in files if ".so" in file.filename)
            total = sum(file.file_size for file in files)
            sizes = (built.stat().st_size, total, total - native)
            label = name if boto3 else "  with Lambda's boto3"
            target = "" if name in NATIVE else "at most 30"
            rows.append((label, *(f"{size / 1e6:.1f}" for size in sizes), str(len(files)), target))
    columns = ("", "zipped", "unpacked", "of that not native", "files", "target")
    report.table("Packages, MB", columns, rows)


@contextmanager
def scratch() -> Iterator[Path]:
    """A copy of the code that may be changed, with the packages that are built already."""
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
    """Report the time of deployments."""
    rows: list[tuple[str, float, str]] = []
    with scratch() as root, tempfile.TemporaryDirectory(prefix="bench-") as state:

        def time_command(what: str, emulator: Emulator, *arguments: str, output: str, target: str = "") -> None:
            rows.append((what, _run_command(root, emulator, *arguments, output=output), target))

        with Emulator(Path(state) / "first") as emulator:
            time_command(
                "the whole system, with packages already built or not", emulator, "deploy", output="tenancy: deployed"
            )
        with Emulator(Path(state) / "second") as emulator:
            whole, service = "the whole system", ("deploy-service", SERVICE)
            time_command(f"{whole}, everything built", emulator, "deploy", output="tenancy: deployed", target="60")
            time_command("one service, nothing changed", emulator, *service, output="nothing to change", target="10")
            time_command(f"{whole}, nothing changed", emulator, "deploy", output="up to date", target="10")
            with (root / CHANGED).open("a") as source:
                source.write("# changed\n")
            time_command(
                "one service, one line of code", emulator, *service, output=f"{SERVICE}: deployed", target="12"
            )
    report.table(
        "Deployments to an embedded AWS in the Lambda runtime, health checks included, s",
        ("", "s", "target"),
        [(what, f"{seconds:.1f}", f"at most {target}" if target else "") for what, seconds, target in rows],
    )


def _run_command(root: Path, emulator: Emulator, *arguments: str, output: str) -> float:
    """Seconds of an operator's command. Raises SystemExit if it fails or does not print `output`."""
    environment = {**os.environ, "TENFOLD_EMULATOR_VENV": str(emulator_venv()), "PYTHONPATH": str(root)}
    options = ["--stage", "bench", "--endpoint", emulator.endpoint_url, "--yes"]
    command = [sys.executable, "-m", "deploy", *arguments, *options]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode or output not in done.stdout:
        raise SystemExit(f"{' '.join(arguments)} failed: {(done.stdout + done.stderr)[-2000:]}")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench deploying", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help="synthesis, packages, imports or deployments; all if none is named",
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each measurement in process (default 7)")
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
