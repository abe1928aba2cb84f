"""Rolling restarts: every service is asked to end and started anew, again and again, while clients work.

    python -m verification.chaos.rolling [--rounds 20] [--json]

Nothing may be lost or done twice, each process must have ended within the limit, and what a client is told meanwhile
must let it come again: no connection, or a 5xx that says when.
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
from pathlib import Path
from typing import Any

import aiohttp

from deploy.services import service_names
from verification.chaos.check import Finding, dead_letters, findings
from verification.chaos.client import Client, Log
from verification.chaos.drain import Rest, drained
from verification.chaos.evidence import Witness
from verification.chaos.load import Founding, Worker
from verification.chaos.place import Stage, emulator_in, stage

DRAIN_LIMIT = 10.0
LOOK_SECONDS = 0.05
ROUNDS, WORKERS, MEMBERS = 20, 8, 3


@dataclass
class Rolled:
    """`drains` are the seconds from SIGTERM to the end of each process, by service."""

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
        found = [f"{each.name}: {one}" for each in self.findings for one in (*each.lost, *each.duplicated, *each.wrong)]
        rest = [] if self.rest.reached else [f"not at rest: {self.rest.text}"]
        refused = [*self.log.refused, *self.log.repeats_refused, *self.log.not_repeatable]
        return [*slow, *found, *rest, *refused, *self.died]

    def as_json(self) -> dict[str, Any]:
        every = [seconds for each in self.drains.values() for seconds in each]
        return {
            "restarts": len(every),
            "commands": len(self.log.commands),
            "acknowledged": self.log.acknowledged,
            "lost": sum(len(each.lost) for each in self.findings),
            "duplicated": sum(len(each.duplicated) for each in self.findings),
            "answers": {str(status): count for status, count in sorted(self.log.answers.items())},
            "5xx without Retry-After": len(self.log.not_repeatable),
            "seconds to end, median": round(statistics.median(every), 2),
            "seconds to end, longest": {name: round(max(each), 2) for name, each in self.drains.items()},
            "problems": self.problems,
        }


async def roll(rounds: int, seed: int, tell: Any = lambda _: None) -> Rolled:
    """Raises DeployError or FleetError if the system does not start."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rolling-")))
        log = Log(stack.enter_context((folder / "acknowledgements.jsonl").open("w")))
        emulator = await stack.enter_async_context(emulator_in(folder))
        tell("deploying every service")
        place = await stack.enter_async_context(stage(emulator, folder, "rolling", seed=seed, services=service_names()))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        client = Client(session, place.fleet.base_url, log, seed)
        org = await Founding(client, place.issuer.tokens, emulator.mailbox).found("rolling", MEMBERS)
        workers = [
            Worker(client, org, org.members[n % len(org.members)], random.Random(f"{seed} {n}"), f"r{n}")
            for n in range(WORKERS)
        ]
        tell(f"{rounds} restarts of each of {len(place.fleet.services)} services under load")
        drains = await _under_load(place, workers, rounds)
        tell("waiting until everything has had its effect")
        witness = Witness(place)
        rest = await drained(witness, lambda: len(place.proxy.published))
        held = await asyncio.to_thread(witness.everything, await asyncio.to_thread(emulator.mailbox))
        found = findings(log, place.proxy.published, held, dead_letters({}, {}, held.letters))
        return Rolled(log, drains, found, rest, place.fleet.died)


async def _under_load(place: Stage, workers: list[Worker], rounds: int) -> dict[str, list[float]]:
    """All services at the same time, each one restart after the other."""
    log, rolling = workers[0].client.log, True

    async def work(worker: Worker) -> None:
        while rolling:
            await worker.work()

    async def restart(service: str) -> list[float]:
        seconds = []
        for _ in range(rounds):
            before = log.acknowledged
            seconds.append(await place.fleet.restart(service))
            await place.fleet.ready(service)
            while log.acknowledged == before:  # each restart meets work; clients give up at some time
                await asyncio.sleep(LOOK_SECONDS)
        return seconds

    working = [asyncio.create_task(work(worker)) for worker in workers]
    try:
        names = place.fleet.services
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
    rolled = asyncio.run(roll(given.rounds, given.seed, lambda text: print(text, file=sys.stderr, flush=True)))
    figures = rolled.as_json()
    if given.json:
        print(json.dumps(figures, indent=1))
    else:
        print("\n".join(f"{name:26} {value}" for name, value in figures.items() if name != "problems"))
        print("\n".join(f"BROKEN {one}" for one in rolled.problems[:20]) or "every promise kept")
    return 1 if rolled.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
