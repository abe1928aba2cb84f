"""Section of the CPU of other libraries that consume SQS, in an environment of their own, against our raw handler."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from bench.consumption import Consumption
from bench.figures import Report, alternate
from bench.processes import ROOT, RunFailed, child, environment, variables_for, watch_until_empty
from bench.queues import REGION

ENVIRONMENT = ROOT / ".local/bench-venv"
LOCK = ROOT / "bench/peers.lock"
OURS = "faststream_sqs, raw handler"
PEERS = {"taskiq-aio-sqs": "taskiq", "dramatiq-sqs": "dramatiq", "celery[sqs]": "celery"}


def peers_python() -> str:
    """The interpreter of the peers' environment, which is created if it is missing or older than its lock.

    Raises RunFailed if it cannot be created, for example without a network.
    """
    ready = ENVIRONMENT / ".ready"
    python = ENVIRONMENT / "bin/python"
    if ready.exists() and ready.stat().st_mtime >= LOCK.stat().st_mtime:
        return str(python)
    uv = str(Path(sys.executable).with_name("uv"))
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT))
    _run(uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", str(python), "--require-hashes", str(LOCK))
    ready.touch()
    return str(python)


def _run(*command: str) -> None:
    variables = dict(os.environ) | {"UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RunFailed(f"the peers' environment cannot be created: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        raise RunFailed(f"the peers' environment cannot be created: {last}")


def milliseconds(python: str, kind: str, consumption: Consumption) -> float:
    """CPU of a peer for 1000 messages, which its own library sends first. Raises RunFailed."""
    name = f"p{uuid4().hex[:12]}"
    url = consumption.queues.create(name)
    variables = variables_for(consumption.endpoint_url, REGION)
    try:
        sending = subprocess.run(
            [python, "-m", "bench.peer_workers", kind, "fill", url, str(consumption.messages)],
            cwd=ROOT,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        if sending.returncode:
            raise RunFailed(f"{kind} could not send: {sending.stderr.strip().splitlines()[-1]}")
        process = child("bench.peer_workers", kind, "consume", url, python=python, **variables)
        usage = watch_until_empty(process, lambda: consumption.queues.left(url), seconds=180.0)
    finally:
        consumption.queues.delete(url)
    if usage.handled != consumption.messages:
        raise RunFailed(f"{kind} handled {usage.handled} of {consumption.messages} messages")
    return usage.cpu / usage.handled * 1e6


def peers_section(report: Report, consumption: Consumption, rounds: int) -> None:
    """Compare the peers with our raw handler. Raises RunFailed."""
    python = peers_python()

    def measure(name: str) -> float:
        if name == OURS:
            return consumption.milliseconds("raw")
        return milliseconds(python, PEERS[name], consumption)

    by_name = alternate([OURS, *PEERS], rounds, measure)
    ours = by_name[OURS]
    rows = [
        (name, samples.spread(), "" if samples is ours else samples.ratios(ours).spread(1), "at least 6.0")
        for name, samples in by_name.items()
    ]
    rows[0] = (*rows[0][:3], "")
    report.table(
        f"Other libraries, ms of CPU for 1000 messages ({rounds} rounds of {consumption.messages})",
        ("consumer", "ms", "times ours", "target"),
        rows,
    )
