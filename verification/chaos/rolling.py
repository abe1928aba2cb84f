"""Proves that rolling restarts of every service under load lose nothing and do nothing twice.

    python -m verification.chaos.rolling [--rounds 20] [--json]

It takes about two minutes and prints how long processes took to end, which answers clients got, and every broken
promise. Each process must end within the limit, and a client that is not served must be able to retry: it gets no
connection, or a 5xx with Retry-After.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from deploy.services import service_names
from verification.chaos.check import Finding, check_dead_letters, check_promises
from verification.chaos.client import Client, Log
from verification.chaos.drain import Rest, wait_for_rest
from verification.chaos.evidence import Witness
from verification.chaos.load import Founder, Worker
from verification.chaos.stage import ChaosStage, run_emulator, start_stage

DRAIN_LIMIT = 10.0
POLL_SECONDS = 0.05
ROUNDS, WORKERS, MEMBERS = 20, 8, 3


@dataclass
class RollingOutcome:
    """Outcome of the restarts. `drains` are the seconds from SIGTERM to the end of each process, by service."""

    log: Log
    drains: dict[str, list[float]]
    findings: list[Finding]
    rest: Rest
    died: list[str]

    @property
    def problems(self) -> list[str]:
        slow = [
            f"{name} took {max(each):.1f} s to end" for name, each in self.drains.items() if max(each) > DRAIN_LIMIT
        ]
        broken = [
            f"{each.name}: {item}" for each in self.findings for item in (*each.lost, *each.duplicated, *each.wrong)
        ]
        rest = [] if self.rest.reached else [f"not at rest: {self.rest.text}"]
        refused = [*self.log.refused, *self.log.repeats_refused, *self.log.without_retry_after]
        return [*slow, *broken, *rest, *refused, *self.died]

    def as_json(self) -> dict[str, Any]:
        every = [seconds for each in self.drains.values() for seconds in each]
        return {
            "restarts": len(every),
            "commands": len(self.log.commands),
            "acknowledged": self.log.acknowledgements,
            "lost": sum(len(each.lost) for each in self.findings),
            "duplicated": sum(len(each.duplicated) for each in self.findings),
            "answers": {str(status): count for status, count in sorted(self.log.answers.items())},
            "5xx without Retry-After": len(self.log.without_retry_after),
            "seconds to end, median": round(statistics.median(every), 2),
            "seconds to end, longest": {name: round(max(each), 2) for name, each in self.drains.items()},
            "problems": self.problems,
        }


async def roll(rounds: int, seed: int, report_progress: Any = lambda _: None) -> RollingOutcome:
    """Restart every service `rounds` times under load.

    Raises DeployError or FleetError if the system does not start.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rolling-")))
        log = Log(stack.enter_context((folder / "acknowledgements.jsonl").open("w")))
        emulator = await stack.enter_async_context(run_emulator(folder))
        report_progress("deploying every service")
        stage = await stack.enter_async_context(
            start_stage(emulator, folder, "rolling", seed=seed, services=service_names())
        )
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        client = Client(session, stage.fleet.base_url, log, seed)
        org = await Founder(client, stage.issuer.tokens, emulator.mailbox).found_organization("rolling", MEMBERS)
        workers = [
            Worker(client, org, org.members[n % len(org.members)], random.Random(f"{seed} {n}"), f"r{n}")
            for n in range(WORKERS)
        ]
        report_progress(f"{rounds} restarts of each of {len(stage.fleet.services)} services under load")
        drains = await _restart_under_load(stage, workers, rounds)
        report_progress("waiting until everything has had its effect")
        witness = Witness(stage)
        rest = await wait_for_rest(witness, lambda: len(stage.proxy.published))
        holdings = await asyncio.to_thread(witness.everything, await asyncio.to_thread(emulator.mailbox))
        dead_letters = check_dead_letters({}, {}, holdings.dead_letters)
        findings = check_promises(log, stage.proxy.published, holdings, dead_letters)
        return RollingOutcome(log, drains, findings, rest, stage.fleet.died)


async def _restart_under_load(stage: ChaosStage, workers: list[Worker], rounds: int) -> dict[str, list[float]]:
    """Restart all services at the same time, each again as soon as it is ready and has done some work."""
    log, rolling = workers[0].client.log, True

    async def work(worker: Worker) -> None:
        while rolling:
            await worker.work()

    async def restart(service: str) -> list[float]:
        seconds = []
        for _ in range(rounds):
            before = log.acknowledgements
            seconds.append(await stage.fleet.restart(service))
            await stage.fleet.ready(service)
            while log.acknowledgements == before:  # so that each restart interrupts work; clients give up at some point
                await asyncio.sleep(POLL_SECONDS)
        return seconds

    working = [asyncio.create_task(work(worker)) for worker in workers]
    try:
        names = stage.fleet.services
        return dict(zip(names, await asyncio.gather(*map(restart, names)), strict=True))
    finally:
        rolling = False
        await asyncio.gather(*working)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m verification.chaos.rolling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    outcome = asyncio.run(roll(given.rounds, given.seed, partial(print, file=sys.stderr, flush=True)))
    figures = outcome.as_json()
    if given.json:
        print(json.dumps(figures, indent=1))
    else:
        print("\n".join(f"{name:26} {value}" for name, value in figures.items() if name != "problems"))
        print("\n".join(f"BROKEN {problem}" for problem in outcome.problems[:20]) or "every promise kept")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
