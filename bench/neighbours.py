"""Measures the p95 of a quiet organization beside one that floods the API with requests, against its p95 alone.

    python -m bench neighbours [--rounds 5] [--rate 50]

It takes about a minute, and fails if the ratio is above its target. The service runs as its real process on an
embedded AWS; rounds with and without the flood alternate. Both clients and the embedded AWS share this machine with the
service, so the ratio is an upper bound.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

from bench.figures import Report, Samples
from bench.flood import Load
from bench.stage import RunningService, running_stage
from deploy.embedded.emulator import Emulator

TARGET = 1.5
ROUNDS, SECONDS, RATE = 5, 6.0, 50
NOISY = "org_noisy"
ALONE, FLOODED = "alone", "beside a flood"


@dataclass
class Flood:
    """`rate` requests per second of one organization; at most as many are in flight as are sent in one second."""

    stage: RunningService
    rate: int
    answers: Counter[int] = field(default_factory=Counter)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Send requests for as long as the context lasts."""

        async def send_forever() -> None:
            slots, headers = asyncio.Semaphore(self.rate), self.stage.headers_in(NOISY)
            async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as group:
                while True:
                    await slots.acquire()
                    group.create_task(self.send(session)).add_done_callback(lambda _: slots.release())
                    await asyncio.sleep(1 / self.rate)

        task = asyncio.create_task(send_forever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self.stage.base_url}/v1/projects", timeout=aiohttp.ClientTimeout(30)) as answer:
            await answer.read()
        self.answers[answer.status] += 1


async def measure(
    stage: RunningService, rounds: int, seconds: float, rate: int
) -> tuple[dict[str, Samples], Flood, int]:
    """The quiet organization's p95 in ms of each round, the flood, and the number of quiet requests that failed."""
    samples, flood, failed = {name: Samples(name) for name in (ALONE, FLOODED)}, Flood(stage, rate), 0
    async with Load(stage).run(), flood.run():
        await asyncio.sleep(seconds)  # warms the service up, and exhausts the flood's rate limit
    for number in range(rounds):
        for name in samples if number % 2 == 0 else reversed(samples):
            load = Load(stage)
            if name == ALONE:
                async with load.run():
                    await asyncio.sleep(seconds)
            else:
                async with flood.run(), load.run():
                    await asyncio.sleep(seconds)
            samples[name].values.append(load.p95() * 1e3)
            failed += load.failed
    return samples, flood, failed


async def compare(report: Report, home: Path, rounds: int, seconds: float, rate: int) -> bool:
    with Emulator(home) as aws:
        async with running_stage(aws.endpoint_url, home) as stage:
            samples, flood, failed = await measure(stage, rounds, seconds, rate)
    ratio = samples[FLOODED].ratios(samples[ALONE])
    report.table("p95 of a quiet organization", ("", "ms"), [(each.name, each.spread()) for each in samples.values()])
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(flood.answers.items()))
    report.line(f"the flood, {rate} requests per second: {answers}; quiet requests that failed: {failed}")
    report.line(f"p95 beside a flood / alone: {ratio.spread(2)} (target: at most {TARGET})")
    return median(ratio.values) <= TARGET and not failed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench neighbours", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds with and without the flood")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of each half of a round")
    parser.add_argument("--rate", type=int, default=RATE, help="requests per second of the flood")
    given, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; compare the ratio, not times")
    with tempfile.TemporaryDirectory(prefix="neighbours-") as home:
        good = asyncio.run(compare(report, Path(home), given.rounds, given.seconds, given.rate))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
