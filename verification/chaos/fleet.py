"""The processes of the services: starting, killing, freezing, thawing and replacing them."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import aiohttp

from deploy.embedded.ports import HOST, free_port
from deploy.embedded.processes import tail
from verification.chaos.process import Plant, Start, serve

READY_SECONDS = 120.0
DIED_SECONDS = 30.0
POLL_SECONDS = 0.02


class FleetError(Exception):
    """A process did something that the storm does not explain."""


@dataclass
class Running:
    """One process of a service."""

    service: str
    port: int
    process: BaseProcess

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def wait_until_ended(self, seconds: float = DIED_SECONDS) -> None:
        """Wait until the process has ended. Raises FleetError if it does not."""
        deadline = time.monotonic() + seconds
        while self.process.is_alive():
            if time.monotonic() > deadline:
                raise FleetError(f"a process of {self.service} does not end within {seconds:g} s")
            await asyncio.sleep(POLL_SECONDS)


class Fleet:
    """One process per service, and the frozen ones that were replaced.

    `died` lists the processes that ended although nobody had killed them. Always close a fleet.
    """

    def __init__(self, environments: Mapping[str, Mapping[str, str]], logs: Path, plant: Plant = Plant.NOTHING) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["verification.chaos.warm"])
        self._environments, self._logs, self._plant = environments, logs, plant
        self._running: dict[str, Running] = {}
        self._replaced: list[Running] = []
        self._ports: set[int] = set()
        self._starts = 0
        self.kills: Counter[str] = Counter()
        self.died: list[str] = []
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(self._environments)

    def base_url(self, service: str) -> str:
        return self._running[service].base_url

    def start(self, service: str, plant: Plant | None = None, *, port: int | None = None) -> Running:
        """Start a process and return at once."""
        if port is None:
            port = free_port(self._ports)
            self._ports.add(port)
        self._starts += 1
        start = Start(
            service,
            {**self._environments[service], "TENFOLD_HOST": HOST, "TENFOLD_PORT": str(port)},
            str(self._logs / f"{service}.log"),
            plant or self._plant,
            self._starts,
        )
        process = self._context.Process(target=serve, args=(start,), daemon=True)
        process.start()
        self._running[service] = Running(service, port, process)
        return self._running[service]

    async def kill(self, service: str, plant: Plant | None = None) -> None:
        """Send SIGKILL, and start the service again on the same port."""
        running = self._running[service]
        self._note_death(running)
        running.process.kill()
        self.kills[service] += 1
        await running.wait_until_ended()
        self.start(service, plant, port=running.port)

    async def restart(self, service: str, plant: Plant | None = None) -> float:
        """Send SIGTERM, and start the service again on the same port. Returns the seconds that it took to end."""
        running = self._running[service]
        seconds = await self._terminate(running)
        self.start(service, plant, port=running.port)
        return seconds

    async def stop(self, service: str) -> None:
        """Send SIGTERM; the service stays down until it is started again."""
        await self._terminate(self._running[service])

    def freeze(self, service: str) -> Running:
        """Send SIGSTOP, and start a replacement. To everybody else the frozen process seems to be alive."""
        running = self._running[service]
        pid = running.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        self._replaced.append(running)
        self.start(service)
        return running

    def thaw(self, running: Running) -> None:
        """Send SIGCONT: the process continues where it was, beside its replacement."""
        if running.process.pid is not None and running.process.is_alive():
            os.kill(running.process.pid, signal.SIGCONT)

    async def ready(self, service: str, seconds: float = READY_SECONDS) -> None:
        """Wait until the service is ready. Raises FleetError, with the end of its log, if it ends or takes too long."""
        running, deadline = self._running[service], time.monotonic() + seconds
        limit = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=limit) as session:
            while True:
                try:
                    async with session.get(f"{running.base_url}/health/ready") as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass  # not listening yet
                if not running.process.is_alive() or time.monotonic() > deadline:
                    log = tail(self._logs / f"{service}.log")
                    raise FleetError(f"{service} is not ready; its log ends:\n{log}")
                await asyncio.sleep(POLL_SECONDS)

    async def start_all(self) -> None:
        for service in self._environments:
            self.start(service)
        await asyncio.gather(*(self.ready(service) for service in self._environments))

    async def calm(self) -> None:
        """End the replaced processes, and restart every service without a jumping clock."""
        for running in self._replaced:
            self.thaw(running)
        await asyncio.gather(*(self._terminate(running) for running in self._replaced))
        self._replaced.clear()
        await asyncio.gather(*(self.restart(service) for service in self.services))
        await asyncio.gather(*(self.ready(service) for service in self.services))

    async def close(self) -> None:
        for running in (*self._running.values(), *self._replaced):
            running.process.kill()
        for running in (*self._running.values(), *self._replaced):
            await running.wait_until_ended()

    async def _terminate(self, running: Running) -> float:
        self._note_death(running)
        started = time.monotonic()
        if running.process.pid is not None and running.process.is_alive():
            running.process.terminate()
        await running.wait_until_ended(4 * DIED_SECONDS)
        return time.monotonic() - started

    def _note_death(self, running: Running) -> None:
        if not running.process.is_alive():
            self.died.append(f"{running.service} ended by itself with code {running.process.exitcode}")
