"""`python -m tests.bench.flood`: a flood into one subscription, and what the service's API and memory make of it.

The service's real process on an embedded AWS. Its API is asked at a steady pace, first alone, then while the flood is
worked off. Times are of this machine; the ratio is what counts, and the embedded AWS, which is one process that both
sides need, has its part in it.
"""

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from deploy.embedded.emulator import Emulator
from tests.bench.figures import Report
from tests.bench.stage import Stage, member_added, running_stage

PACE = 0.05
BATCH = 10
SKEW = 100
LONGEST = 900.0


@dataclass
class Load:
    """Steady requests on the API, each with its own start, however long the others take."""

    stage: Stage
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @asynccontextmanager
    async def applied(self) -> AsyncIterator["Load"]:
        task = asyncio.create_task(self._apply())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _apply(self) -> None:
        async with aiohttp.ClientSession(headers=self.stage.headers) as session, asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._ask(session))
                await asyncio.sleep(PACE)

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        began = time.perf_counter()
        async with session.get(f"{self.stage.base_url}/v1/projects", timeout=aiohttp.ClientTimeout(30)) as answer:
            await answer.read()
        self.failed += answer.status != 200
        self.seconds.append(time.perf_counter() - began)

    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1]


@dataclass
class Flood:
    """Sent while the service is stopped in its tracks, so that sending takes no part in what is measured."""

    stage: Stage
    events: int
    sizes: list[float] = field(default_factory=list)
    took: float = 0.0

    def send(self) -> None:
        self.stage.process.send_signal(signal.SIGSTOP)
        try:
            for start in range(0, self.events, BATCH):
                numbers = range(start, min(start + BATCH, self.events))
                self.stage.send([member_added(n, "org_quiet" if n % SKEW == 0 else "org_noisy") for n in numbers])
        finally:
            self.stage.process.send_signal(signal.SIGCONT)

    async def worked_off(self) -> None:
        began = time.monotonic()
        while await asyncio.to_thread(self.stage.left) > 0:
            self.sizes.append(self.stage.resident())
            if time.monotonic() - began > LONGEST:
                raise TimeoutError(f"not worked off in {LONGEST:.0f} s")
            await asyncio.sleep(0.5)
        self.took = time.monotonic() - began


async def measure(report: Report, endpoint_url: str, home: Path, events: int, idle_seconds: float) -> None:
    async with running_stage(endpoint_url, home) as stage:
        async with Load(stage).applied() as warming:
            await asyncio.sleep(3)
        assert warming.seconds, "nothing was answered"
        before = stage.resident()
        async with Load(stage).applied() as idle:
            await asyncio.sleep(idle_seconds)
        flood = Flood(stage, events)
        await asyncio.to_thread(flood.send)
        async with Load(stage).applied() as flooded:
            await flood.worked_off()
        after = stage.resident()
    rows = [
        (name, str(len(load.seconds)), str(load.failed), f"{median(load.seconds) * 1e3:.0f}", f"{load.p95() * 1e3:.0f}")
        for name, load in (("idle", idle), ("flooded", flooded))
    ]
    report.table("The API beside the flood", ("", "requests", "failed", "median ms", "p95 ms"), rows)
    report.line(f"p95 flooded / idle: {flooded.p95() / idle.p95():.2f}")
    report.line(f"{events} events in {flood.took:.0f} s ({events / flood.took:.0f} a second)")
    report.line(f"resident MiB: {before:.0f} before, {max(flood.sizes):.0f} at most, {after:.0f} after")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flood", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--idle-seconds", type=float, default=15.0)
    chosen, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; ratios hold, times do not travel")
    with tempfile.TemporaryDirectory(prefix="flood-") as home, Emulator(Path(home)) as aws:
        asyncio.run(measure(report, aws.endpoint_url, Path(home), chosen.events, chosen.idle_seconds))


if __name__ == "__main__":
    main()
