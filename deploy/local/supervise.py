"""The supervisor's process: runs a LocalSystem until it gets a signal, and records its status in a file."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from deploy.local.control import Control
from deploy.local.reload import reload_on_change
from deploy.local.status import Status
from deploy.local.system import LocalSystem
from deploy.stage.errors import DeployError


async def supervise(state_dir: Path, *, port: int | None, reload: bool) -> int:
    """Run the system in `state_dir` until SIGTERM or SIGINT. Returns the exit code."""
    control = Control()
    phase = "starting"

    def report(text: str, now: str | None = None) -> None:
        Status(os.getpid(), now or phase, text, system.base_url).write(state_dir)
        with (state_dir / "logs/supervisor.log").open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    (state_dir / "logs").mkdir(parents=True, exist_ok=True)
    system = LocalSystem(state_dir, port=port, progress=report, extra_routes=control.routes())
    control.system = system
    stopping = asyncio.Event()
    running = asyncio.create_task(system.start())

    def stop() -> None:
        stopping.set()
        if not running.done():
            running.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    try:
        await running
    except DeployError as error:
        report(str(error), "failed")
        return 1
    except asyncio.CancelledError:
        report("stopped while it started", "stopped")
        return 0
    phase = "ready"
    report("ready")
    watching = asyncio.create_task(reload_on_change(system, report)) if reload else None
    await stopping.wait()
    if watching:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    try:
        await system.stop()
    except DeployError as error:
        report(str(error), "failed")
        return 1
    report("stopped", "stopped")
    return 0
