"""The supervisor's process: runs a LocalSystem until it gets a signal, and records its status in a file."""

import asyncio
import contextlib
import signal
from pathlib import Path

from deploy.errors import DeployError
from deploy.local.control import Control
from deploy.local.reload import reload_on_change
from deploy.local.status import Reporter
from deploy.local.system import LocalSystem


async def supervise(state_dir: Path, *, port: int | None, reload: bool) -> int:
    """Run the system in `state_dir` until SIGTERM or SIGINT. Returns the exit code."""
    control, report = Control(), Reporter(state_dir)
    system = LocalSystem(state_dir, port=port, progress=report, extra_routes=control.routes())
    report.base_url = system.base_url
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
    report("ready", "ready")
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
