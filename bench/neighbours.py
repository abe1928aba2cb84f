"""`python -m bench.neighbours`: what one organization's flood of requests costs the others.

The service's real process on an embedded AWS. A quiet organization asks its API at a steady pace, by turns alone and
while another sends many times what its plan allows. The ratio of both p95 is what counts. The one who floods, the one
who asks and the embedded AWS share this machine with the service, so the ratio is an upper bound.
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
from bench.stage import Stage, running_stage
from deploy.embedded.emulator import Emulator

TARGET = 1.5
ROUNDS, SECONDS, RATE = 5, 6.0, 50
NOISY = "org_noisy"
ALONE, FLOODED = "alone", "beside a flood"


@dataclass
class Flood:
    """`rate` requests a second of one organization, as long as it lasts; at most a second's worth are under way."""

    stage: Stage
    rate: int
    answers: Counter[int] = field(default_factory=Counter)

    @asynccontextmanager
    async def applied(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._apply())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _apply(self) -> None:
        places, headers = asyncio.Semaphore(self.rate), self.stage.headers_in(NOISY)
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as group:
            while True:
                await places.acquire()
                group.create_task(self._ask(session)).add_done_callback(lambda _: places.release())
                await asyncio.sleep(1 / self.rate)

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self.stage.base_url}/v1/projects", timeout=aiohttp.ClientTimeout(30)) as answer:
            await answer.read()
        self.answers[answer.status] += 1


async def measure(stage: Stage, rounds: int, seconds: float, rate: int) -> tuple[dict[str, Samples], Flood, int]:
    """p95 in ms of the quiet organization, round by round; the flood; and how many quiet requests failed."""
    found, flood, failed = {name: Samples(name) for name in (ALONE, FLOODED)}, Flood(stage, rate), 0
    async with Load(stage).applied(), flood.applied():
        await asyncio.sleep(seconds)  # warm, and the flood over its allowance
    for number in range(rounds):
        for name in found if number % 2 == 0 else reversed(found):
            load = Load(stage)
            if name == ALONE:
                async with load.applied():
                    await asyncio.sleep(seconds)
            else:
                async with flood.applied(), load.applied():
                    await asyncio.sleep(seconds)
            found[name].values.append(load.p95() * 1e3)
            failed += load.failed
    return found, flood, failed


async def compare(report: Report, home: Path, rounds: int, seconds: float, rate: int) -> bool:
    with Emulator(home) as aws:
        async with running_stage(aws.endpoint_url, home) as stage:
            found, flood, failed = await measure(stage, rounds, seconds, rate)
    ratio = found[FLOODED].ratios(found[ALONE])
    report.table("p95 of a quiet organization", ("", "ms"), [(one.name, one.spread()) for one in found.values()])
    told = ", ".join(f"{count} x {status}" for status, count in sorted(flood.answers.items()))
    report.line(f"the flood, {rate} requests a second: {told}; quiet requests that failed: {failed}")
    report.line(f"p95 beside a flood / alone: {ratio.spread(2)} (target: at most {TARGET})")
    return median(ratio.values) <= TARGET and not failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each part of a round")
    parser.add_argument("--rate", type=int, default=RATE, help="requests a second of the one who floods")
    chosen, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; the ratio holds, times do not")
    with tempfile.TemporaryDirectory(prefix="neighbours-") as home:
        good = asyncio.run(compare(report, Path(home), chosen.rounds, chosen.seconds, chosen.rate))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
