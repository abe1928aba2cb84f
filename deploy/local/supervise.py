"""The supervisor's own process: runs a LocalSystem until it is told to stop, and writes down how far it is."""

import asyncio
import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.control import Control
from deploy.local.reload import reload_on_change
from deploy.local.system import LocalSystem
from deploy.stage.errors import DeployError

STATUS = "status.json"


@dataclass(frozen=True)
class Status:
    """`phase` is "starting", "ready", "failed" or "stopped"; `text` the last step, or why it failed."""

    pid: int
    phase: str
    text: str
    base_url: str

    @classmethod
    def read(cls, state_dir: Path) -> "Status | None":
        """What the last supervisor of this folder wrote; None if there was none."""
        try:
            return cls(**json.loads((state_dir / STATUS).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        unfinished = state_dir / f"{STATUS}.new"
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(state_dir / STATUS)


async def supervise(state_dir: Path, *, port: int | None, reload: bool) -> int:
    """Run the system in `state_dir` until SIGTERM or SIGINT. Returns the exit code."""
    control = Control()
    phase = "starting"

    def tell(text: str, now: str | None = None) -> None:
        Status(os.getpid(), now or phase, text, system.base_url).write(state_dir)
        with (state_dir / "logs/supervisor.log").open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    (state_dir / "logs").mkdir(parents=True, exist_ok=True)
    system = LocalSystem(state_dir, port=port, progress=tell, extra_routes=control.routes())
    control.system = system
    stopping = asyncio.Event()
    running = asyncio.create_task(system.start())
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, _stop, stopping, running)
    try:
        await running
    except DeployError as error:
        tell(str(error), "failed")
        return 1
    except asyncio.CancelledError:
        tell("stopped while it started", "stopped")
        return 0
    phase = "ready"
    tell("ready")
    watching = asyncio.create_task(reload_on_change(system, tell)) if reload else None
    await stopping.wait()
    if watching:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    try:
        await system.stop()
    except DeployError as error:
        tell(str(error), "failed")
        return 1
    tell("stopped", "stopped")
    return 0


def _stop(stopping: asyncio.Event, running: "asyncio.Task[None]") -> None:
    stopping.set()
    if not running.done():
        running.cancel()
