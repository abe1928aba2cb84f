"""One service's process on this machine."""

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from chassis.resilience.retry import RetryPolicy, retry
from deploy.embedded.ports import HOST
from deploy.embedded.processes import end_leftover, remember, stop, tail
from deploy.errors import LocalError

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLLING = RetryPolicy(tries=None, first=0.1, longest=0.1)
MAX_LOG_BYTES = 20 * 1024 * 1024


class Child:
    """A service's process: start, wait, stop. Its output goes to `log`, and its pid to a file, so that it can be ended
    later if the supervisor is killed."""

    def __init__(
        self,
        name: str,
        port: int,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        state_dir: Path,
        cwd: Path,
    ) -> None:
        self.name, self.port, self.command, self.environment = name, port, list(command), dict(environment)
        self.log = state_dir / "logs" / f"{name}.log"
        self._pid_file = state_dir / "pids" / f"{name}.json"
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self.wanted = False
        """Whether it should run: false before start() and after it was stopped on purpose."""

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.alive and self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process and return at once. Does nothing if it runs."""
        if self.alive:
            return
        end_leftover(self._pid_file, STOP_SECONDS)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self.command,
                env=self.environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then stops it in order
            )
        self.wanted = True
        remember(self._pid_file, self._process.pid, self.command)

    async def ready(self, session: aiohttp.ClientSession, seconds: float = READY_SECONDS) -> None:
        """Wait until it reports that it is ready. Raises LocalError, with the end of its log, if it dies or is not
        ready in `seconds`."""

        async def ask() -> None:
            self.check()
            async with session.get(f"{self.base_url}/health/ready", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                answer.raise_for_status()

        try:
            async with asyncio.timeout(seconds):
                await retry(ask, POLLING, on=lambda error: isinstance(error, aiohttp.ClientError | TimeoutError))
        except TimeoutError:
            raise LocalError(
                f"{self.name} is not ready after {seconds:.0f} s; its log ends:\n{tail(self.log)}"
            ) from None

    def check(self) -> None:
        """Raises LocalError, with the end of its log, if it has died although it should run."""
        if self.wanted and not self.alive:
            raise LocalError(
                f"{self.name} died with code {self.returncode}; its log {self.log} ends:\n{tail(self.log)}"
            )

    async def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Ask it to stop, and kill it after `seconds`. True if it ended by itself or did not run."""
        self.wanted = False
        ended = True
        if self._process is not None:
            ended = await asyncio.to_thread(stop, self._process, seconds)
        self._pid_file.unlink(missing_ok=True)
        return ended

    def kill(self) -> None:
        """SIGKILL, like a crash. It then counts as stopped on purpose."""
        self.wanted = False
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
        self._pid_file.unlink(missing_ok=True)
