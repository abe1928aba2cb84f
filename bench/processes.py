"""Child processes whose CPU is measured: starting, asking and ending them."""

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
"""Signal that asks a child for its report; Celery uses SIGUSR1 and SIGUSR2 itself."""


class RunFailed(Exception):
    """A measured process failed; the message has the end of its output."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Report of a child: handled messages, and the CPU seconds (all threads, user and system) that they cost."""

    handled: int
    cpu: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """Environment of this process without variables that would change the children's cost or their AWS."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k not in dropped}
    return inherited | {"AWS_EC2_METADATA_DISABLED": "true"} | variables


def end(process: subprocess.Popen[Any], seconds: float = 10.0) -> None:
    """End a child by SIGTERM, and by SIGKILL if it does not react."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def child(module: str, *arguments: str, python: str = sys.executable, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m module arguments` in the repository."""
    return subprocess.Popen(
        [python, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer_of(process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """The last line that the child prints, as JSON. Raises RunFailed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise RunFailed(f"no report in {seconds:.0f} s: {_tail(err)}") from None
    lines = out.strip().splitlines()
    with contextlib.suppress(IndexError, json.JSONDecodeError):
        report = json.loads(lines[-1])
        if isinstance(report, dict):
            return report
    raise RunFailed(f"ended with {process.returncode}: {_tail(err) or _tail(out)}")


def _tail(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])


def watch_until_empty(process: subprocess.Popen[str], left: Callable[[], int], seconds: float = 120.0) -> Usage:
    """Let the child consume until the queue is empty, then ask it for its report. Raises RunFailed.

    The queue is watched from outside, so every consumer's clock stops at the same point: all handled, all deleted.
    """
    deadline = time.monotonic() + seconds
    empty_polls = 0
    while empty_polls < 2:
        if process.poll() is not None:
            _, err = process.communicate()
            raise RunFailed(f"ended with {process.returncode}: {_tail(err)}")
        if time.monotonic() > deadline:
            waiting = left()
            end(process)
            raise RunFailed(f"{waiting} messages left after {seconds:.0f} s")
        time.sleep(0.05)
        empty_polls = empty_polls + 1 if left() == 0 else 0
    process.send_signal(REPORT)
    report = answer_of(process, 15.0)
    return Usage(report["handled"], report["cpu"])


class Meter:
    """Counts handled messages in a child. Call `start` before the first receive; the signal REPORT prints the count."""

    def __init__(self) -> None:
        self.handled = 0
        self._started = 0.0

        def report(number: int, frame: object) -> None:
            cpu = time.process_time() - self._started
            # directly to the descriptor, and without cleanup: libraries wrap sys.stdout and stop in their own ways
            os.write(1, json.dumps({"handled": self.handled, "cpu": cpu}).encode() + b"\n")
            os._exit(0)

        signal.signal(REPORT, report)

    def start(self) -> None:
        self._started = time.process_time()


def variables_for(endpoint_url: str, region: str) -> Mapping[str, str]:
    """Environment variables that point a child to its AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
    }
