"""Child processes whose CPU is measured, and how they are ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REPORT = signal.SIGRTMIN + 3
"""Asks a child for its figures; Celery has uses of its own for SIGUSR1 and SIGUSR2."""


class RunFailed(Exception):
    """A measured process did not do its work; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a child reports: messages handled and the CPU seconds (all its threads, user and system) they cost."""

    handled: int
    cpu: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would change the children's cost or their AWS."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k not in dropped}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true"} | variables


def end(process: subprocess.Popen[Any], seconds: float = 10.0) -> None:
    """Ends a process of ours by SIGTERM, and by SIGKILL when it does not listen."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def child(module: str, *arguments: str, python: str = sys.executable, **variables: str) -> subprocess.Popen[str]:
    """Starts `python -m module arguments` in the repository."""
    return subprocess.Popen(
        [python, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer_of(process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """The last line that the child writes, as JSON. Raises RunFailed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise RunFailed(f"no report in {seconds:.0f} s: {_tail(err)}") from None
    lines = out.strip().splitlines()
    with contextlib.suppress(IndexError, json.JSONDecodeError):
        found = json.loads(lines[-1])
        if isinstance(found, dict):
            return found
    raise RunFailed(f"ended with {process.returncode}: {_tail(err) or _tail(out)}")


def _tail(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])


def watch_until_empty(process: subprocess.Popen[str], left: Callable[[], int], seconds: float = 120.0) -> Usage:
    """Lets the child consume until the queue holds nothing, then asks it what that cost. Raises RunFailed.

    Seen from outside, so every consumer's clock stops at the same point: all handled, all deleted.
    """
    deadline = time.monotonic() + seconds
    empty_looks = 0
    while empty_looks < 2:
        if process.poll() is not None:
            _, err = process.communicate()
            raise RunFailed(f"ended with {process.returncode}: {_tail(err)}")
        if time.monotonic() > deadline:
            waiting = left()
            end(process)
            raise RunFailed(f"{waiting} messages left after {seconds:.0f} s")
        time.sleep(0.05)
        empty_looks = empty_looks + 1 if left() == 0 else 0
    process.send_signal(REPORT)
    report = answer_of(process, 15.0)
    return Usage(report["handled"], report["cpu"])


class Meter:
    """In the child: counts what is handled; `start` before the first receive, the report is written on REPORT."""

    def __init__(self) -> None:
        self.handled = 0
        self._started = 0.0
        signal.signal(REPORT, self._report)

    def start(self) -> None:
        self._started = time.process_time()

    def _report(self, number: int, frame: object) -> None:
        cpu = time.process_time() - self._started
        # straight to the descriptor, and out: libraries wrap sys.stdout and have ways of their own to stop
        os.write(1, json.dumps({"handled": self.handled, "cpu": cpu}).encode() + b"\n")
        os._exit(0)


def variables_for(endpoint_url: str, region: str) -> Mapping[str, str]:
    """The environment in which a child finds the AWS to use."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
    }
