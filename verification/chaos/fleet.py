"""The services' processes: started, killed, stopped, continued, replaced."""

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

from deploy.local.ports import HOST, free_port
from deploy.local.processes import tail
from verification.chaos.process import Plant, Start, serve

READY_SECONDS = 120.0
DIED_SECONDS = 30.0
STEP = 0.02


class FleetError(Exception):
    """A process did what no storm explains."""


@dataclass
class Running:
    """One process of a service."""

    service: str
    port: int
    process: BaseProcess

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def gone(self, seconds: float = DIED_SECONDS) -> None:
        """Wait until it has ended. Raises FleetError if it does not."""
        deadline = time.monotonic() + seconds
        while self.process.is_alive():
            if time.monotonic() > deadline:
                raise FleetError(f"a process of {self.service} does not end")
            await asyncio.sleep(STEP)


class Fleet:
    """One process a service, and those that were replaced while they could not answer.

    `died` are services whose process ended though nobody had killed it. Close it whatever happens.
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
        port = port or self._new_port()
        self._starts += 1
        start = Start(
            service,
            {**self._environments[service], "HOST": HOST, "PORT": str(port)},
            str(self._logs / f"{service}.log"),
            plant or self._plant,
            self._starts,
        )
        process = self._context.Process(target=serve, args=(start,), daemon=True)
        process.start()
        self._running[service] = Running(service, port, process)
        return self._running[service]

    async def kill(self, service: str, plant: Plant | None = None) -> None:
        """SIGKILL, and start again on the same port."""
        one = self._running[service]
        self._note_death(one)
        one.process.kill()
        self.kills[service] += 1
        await one.gone()
        self.start(service, plant, port=one.port)

    async def restart(self, service: str, plant: Plant | None = None) -> float:
        """SIGTERM, and start again on the same port. Returns the seconds until it had ended."""
        one = self._running[service]
        seconds = await self._asked_to_end(one)
        self.start(service, plant, port=one.port)
        return seconds

    async def stop(self, service: str) -> None:
        """SIGTERM; it stays away until it is started again."""
        await self._asked_to_end(self._running[service])

    def freeze(self, service: str) -> Running:
        """SIGSTOP, and another takes its place. The frozen one is still somewhere, as far as anybody knows."""
        one = self._running[service]
        pid = one.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        self._replaced.append(one)
        self.start(service)
        return one

    def thaw(self, one: Running) -> None:
        """SIGCONT: it goes on where it was, beside its replacement."""
        if one.process.pid is not None and one.process.is_alive():
            os.kill(one.process.pid, signal.SIGCONT)

    async def ready(self, service: str, seconds: float = READY_SECONDS) -> None:
        """Wait until it can serve. Raises FleetError, with the end of its log, if it ends or takes too long."""
        one, deadline = self._running[service], time.monotonic() + seconds
        limit = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=limit) as session:
            while True:
                try:
                    async with session.get(f"{one.base_url}/health/ready") as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass  # not listening yet
                if not one.process.is_alive() or time.monotonic() > deadline:
                    log = tail(self._logs / f"{service}.log")
                    raise FleetError(f"{service} is not ready; its log ends:\n{log}")
                await asyncio.sleep(STEP)

    async def start_all(self) -> None:
        for service in self._environments:
            self.start(service)
        await asyncio.gather(*(self.ready(service) for service in self._environments))

    async def calm(self) -> None:
        """What was replaced ends, and everything starts anew without anything planted but what always was."""
        for one in self._replaced:
            self.thaw(one)
        await asyncio.gather(*(self._asked_to_end(one) for one in self._replaced))
        self._replaced.clear()
        await asyncio.gather(*(self.restart(service) for service in self.services))
        await asyncio.gather(*(self.ready(service) for service in self.services))

    async def close(self) -> None:
        for one in (*self._running.values(), *self._replaced):
            one.process.kill()
        for one in (*self._running.values(), *self._replaced):
            await one.gone()

    async def _asked_to_end(self, one: Running) -> float:
        self._note_death(one)
        started = time.monotonic()
        if one.process.pid is not None and one.process.is_alive():
            one.process.terminate()
        await one.gone(4 * DIED_SECONDS)
        return time.monotonic() - started

    def _note_death(self, one: Running) -> None:
        if not one.process.is_alive():
            self.died.append(f"{one.service} ended by itself with code {one.process.exitcode}")

    def _new_port(self) -> int:
        port = free_port(self._ports)
        self._ports.add(port)
        return port
