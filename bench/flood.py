"""Measures the API's p95 and the memory of a service during a flood of events, against the same service at rest.

    python -m bench flood [--events 20000]

It takes one to two minutes. The service runs as its real process on an embedded AWS; its API gets steady requests,
first alone and then while the flood is processed. Times are those of this machine; only the ratio can be compared. API
and consumer share the embedded AWS, so the report also says how much slower one bare call to it becomes.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from bench.figures import Report
from bench.stage import NAMES, RunningService, member_added, running_stage
from deploy.embedded.emulator import Emulator
from services.tasks.service import service

PACE = 0.05
BATCH = 10
SKEW = 100
DEPTH = 1000
MAX_SECONDS = 900.0
GET_ITEM = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
    "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request",
}
ITEM = {"TableName": NAMES.table(service.name), "Key": {"PK": {"S": "none"}, "SK": {"S": "none"}}}


@dataclass
class Load:
    """Steady requests to the API: each starts on time, however long the others take."""

    stage: RunningService
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @asynccontextmanager
    async def run(self) -> AsyncIterator["Load"]:
        """Send requests for as long as the context lasts."""

        async def send_forever() -> None:
            async with aiohttp.ClientSession(headers=self.stage.headers) as session, asyncio.TaskGroup() as group:
                while True:
                    group.create_task(self.send(session))
                    await asyncio.sleep(PACE)

        task = asyncio.create_task(send_forever())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send(self, session: aiohttp.ClientSession) -> None:
        began = time.perf_counter()
        async with session.get(f"{self.stage.base_url}/v1/projects", timeout=aiohttp.ClientTimeout(30)) as answer:
            await answer.read()
        self.failed += answer.status != 200
        self.seconds.append(time.perf_counter() - began)

    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1]


class BareCalls(Load):
    """Steady calls to the embedded AWS: the part of the waiting time that the service does not cause."""

    async def send(self, session: aiohttp.ClientSession) -> None:
        began = time.perf_counter()
        async with session.post(self.stage.endpoint_url, headers=GET_ITEM, json=ITEM) as answer:
            await answer.read()
        self.failed += answer.status != 200
        self.seconds.append(time.perf_counter() - began)


@dataclass
class Flood:
    """Events that arrive faster than the service processes them.

    At most DEPTH of them wait at a time: the embedded AWS searches a whole queue at each call, which SQS does not.
    """

    stage: RunningService
    events: int
    sent: int = 0
    sizes: list[float] = field(default_factory=list)
    took: float = 0.0

    async def process(self) -> None:
        """Send all events and wait until they are processed."""
        began = time.monotonic()
        while await asyncio.to_thread(self._top_up) > 0:
            self.sizes.append(self.stage.resident())
            if time.monotonic() - began > MAX_SECONDS:
                raise TimeoutError(f"not processed within {MAX_SECONDS:.0f} s")
            await asyncio.sleep(0.5)
        self.took = time.monotonic() - began

    def _top_up(self) -> int:
        """Fill the queue up to DEPTH. Returns the number of messages in it."""
        left = self.stage.left()
        until = min(self.events, self.sent + max(0, DEPTH - left))
        for start in range(self.sent, until, BATCH):
            numbers = range(start, min(start + BATCH, until))
            self.stage.send([member_added(n, "org_quiet" if n % SKEW == 0 else "org_noisy") for n in numbers])
        left, self.sent = left + until - self.sent, until
        return left


async def measure(report: Report, endpoint_url: str, home: Path, events: int, idle_seconds: float) -> None:
    async with running_stage(endpoint_url, home) as stage:
        async with Load(stage).run() as warming:
            await asyncio.sleep(3)
        assert warming.seconds, "nothing was answered"
        before = stage.resident()
        idle, idle_calls = Load(stage), BareCalls(stage)
        async with idle.run(), idle_calls.run():
            await asyncio.sleep(idle_seconds)
        flooded, flooded_calls, flood = Load(stage), BareCalls(stage), Flood(stage, events)
        async with flooded.run(), flooded_calls.run():
            await flood.process()
        after = stage.resident()
    loads = {"idle": idle, "flooded": flooded, "bare call, idle": idle_calls, "bare call, flooded": flooded_calls}
    rows = [
        (name, str(len(load.seconds)), str(load.failed), f"{median(load.seconds) * 1e3:.0f}", f"{load.p95() * 1e3:.0f}")
        for name, load in loads.items()
    ]
    report.table("The API during the flood", ("", "requests", "failed", "median ms", "p95 ms"), rows)
    bare = flooded_calls.p95() / idle_calls.p95()
    report.line(f"p95 flooded / idle: {flooded.p95() / idle.p95():.2f}; of a bare call to the embedded AWS {bare:.2f}")
    report.line(f"{events} events in {flood.took:.0f} s ({events / flood.took:.0f} per second)")
    report.line(f"resident MiB: {before:.0f} before, {max(flood.sizes):.0f} at most, {after:.0f} after")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench flood", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000, help="size of the flood (default 20000)")
    parser.add_argument("--idle-seconds", type=float, default=15.0, help="how long to measure at rest (default 15)")
    given, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; compare ratios, not times")
    with tempfile.TemporaryDirectory(prefix="flood-") as home, Emulator(Path(home)) as aws:
        asyncio.run(measure(report, aws.endpoint_url, Path(home), given.events, given.idle_seconds))


if __name__ == "__main__":
    main()
