"""Starts the supervisor in the background, and waits until the system is up."""

import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from deploy.embedded.processes import tail
from deploy.errors import LocalError
from deploy.local.run_provision import base_environment
from deploy.local.status import Status
from deploy.services import ROOT

UP_SECONDS = 300.0


def launch(state: Path, port: int, *, reload: bool) -> None:
    """Start the supervisor and wait until it is ready. Raises LocalError with its reason."""
    (state / "logs").mkdir(parents=True, exist_ok=True)
    log = state / "logs/supervisor.log"
    command = [sys.executable, "-m", "deploy", "supervise", "--state", str(state.resolve()), "--port", str(port)]
    log.write_bytes(b"")
    with log.open("ab") as output:  # the supervisor writes to it by name, too
        process = subprocess.Popen(  # noqa: S603
            [*command, *(["--reload"] if reload else [])],
            cwd=ROOT,
            env=base_environment(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + UP_SECONDS
    with Console().status("starting") as spinner:
        while True:
            status = Status.read(state)
            phase = status.phase if status and status.pid == process.pid else "starting"
            text = status.text if status and status.pid == process.pid else "starting"
            if phase == "ready":
                return
            if phase == "failed":
                raise LocalError(text)
            if process.poll() is not None:
                raise LocalError(f"the supervisor ended with code {process.returncode}; its log ends:\n{tail(log)}")
            if time.monotonic() > deadline:
                process.terminate()
                raise LocalError(f"not up after {UP_SECONDS:.0f} s; see {log}")
            spinner.update(escape(text))
            time.sleep(0.05)
