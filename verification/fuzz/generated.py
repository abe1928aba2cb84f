"""Requests that schemathesis generates from a service's OpenAPI: valid and invalid ones, alone and in sequences."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from verification.fuzz.server import Served

GRACE = 120
"""Seconds beyond its time that a run may take to shrink what it found."""
LEFT_OUT = "positive_data_acceptance"
"""A schema cannot say all: that a cursor is one of ours, that a date is not in the past."""


@dataclass(frozen=True)
class Outcome:
    """`told` is schemathesis' own report of what it found, with the requests that show it."""

    operations: int
    requests: int
    failures: int
    told: str


def fuzz(at: Served, seconds: int, seed: int | None = None) -> Outcome:
    """Raises subprocess.TimeoutExpired for a server that hangs, RuntimeError for a run that tested nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{at.url}/openapi.json"]
        command += ["--header", f"Authorization: Bearer {at.token}", "--max-time", str(seconds), "--no-color"]
        command += ["--exclude-checks", LEFT_OUT, "--request-timeout", "20", "--warnings", "off"]
        command += ["--report", "json", "--report-json-path", str(report)]
        command += [] if seed is None else ["--seed", str(seed)]
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + GRACE,
            cwd=folder,
        )
        if not report.exists():
            raise RuntimeError(f"schemathesis could not start: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        found = json.loads(report.read_text())
    tested, cases = found["operations"], found["test_cases"]
    if not cases["generated"]:
        raise RuntimeError("schemathesis generated no request")
    failures = cases["unique_failures"] + len(found["errors"])
    return Outcome(tested["tested"], cases["generated"], failures, done.stdout)
