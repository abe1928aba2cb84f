"""Negative controls: a small storm on services without an inbox, and on services without an outbox.

The first must duplicate effects and the second must lose some; otherwise the chaos run would see nothing.
"""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chassis.auth.tokens import TokenClaims
from contracts.common import Role
from deploy.embedded.emulator import Emulator
from verification.chaos.check import check_commands, check_figures
from verification.chaos.client import Client, Log
from verification.chaos.drain import wait_for_rest
from verification.chaos.evidence import Witness
from verification.chaos.faults import Rates
from verification.chaos.load import Organization, Person, Worker
from verification.chaos.process import Plant
from verification.chaos.stage import ChaosStage, start_stage
from verification.chaos.storm import KILL_PAUSE
from verification.simulation.facts import Facts

SERVICES = {Plant.NO_INBOX: ("tasks", "analytics"), Plant.NO_OUTBOX: ("tasks",)}
COMMANDS, KILLS, WORKERS = 100, 6, 6
OUTAGE = (0.3, 0.7)
"""From which share of the load to which the bus takes nothing: events then wait in memory, where a kill finds them."""
POLL_SECONDS = 0.02
HOT = Rates(refused=0.02, executed_then_500=0.2, slow=0)
"""Higher than in the main storm, so that a small system meets as many faults as a large one."""


@dataclass(frozen=True)
class Control:
    """Result of a control: how many effects it duplicated (without the inbox) or lost (without the outbox).

    There must be some.
    """

    plant: Plant
    shown: int

    @property
    def good(self) -> bool:
        return self.shown > 0

    @property
    def text(self) -> str:
        what = "duplicated" if self.plant is Plant.NO_INBOX else "lost"
        return f"{self.plant.value}: {self.shown} {what}, {'as it must' if self.good else 'SO THIS TEST SEES NOTHING'}"


async def run_control(emulator: Emulator, folder: Path, plant: Plant, seed: int) -> Control:
    """Run a control on a stage of its own.

    A lost effect shows at once; a duplicated one may take until everything is at rest.
    """
    name = plant.value.replace(" ", "")
    async with start_stage(
        emulator, folder, name, seed=seed, rates=HOT, services=SERVICES[plant], plant=plant
    ) as small:
        log = await _storm(small, folder, seed)
        await small.fleet.calm()
        witness = Witness(small)

        async def look() -> Control:
            holdings = await asyncio.to_thread(witness.holdings)
            facts = Facts(small.proxy.published)
            if plant is Plant.NO_OUTBOX:
                return Control(plant, len(check_commands(log, facts).lost))
            return Control(plant, len(check_figures(facts, holdings).duplicated))

        result = await look()
        if not result.good and plant is Plant.NO_INBOX:
            await wait_for_rest(witness, lambda: len(small.proxy.published))
            result = await look()
        return result


async def _storm(small: ChaosStage, folder: Path, seed: int) -> Log:
    with (folder / f"{small.name}.jsonl").open("w") as file:
        log = Log(file)
        async with aiohttp.ClientSession() as session:
            client = Client(session, small.fleet.base_url, log, seed)
            claims = TokenClaims(
                user_id="user_control", email="c@acme.example", name="C", org="org_control", role=Role.OWNER, mv=1
            )
            member = Person(claims.user_id, claims.email, small.issuer.tokens.token(claims))
            org = Organization("org_control", [])  # without members nothing is assigned
            workers = [Worker(client, org, member, random.Random(f"{seed} {n}"), f"c{n}") for n in range(WORKERS)]

            async def work(worker: Worker) -> None:
                while len(log.commands) < COMMANDS:
                    await (worker.create_task() if worker.project else worker.create_project())

            small.faults.on = True
            async with asyncio.TaskGroup() as group:
                working = [group.create_task(work(worker)) for worker in workers]
                await asyncio.gather(
                    _kill(small, log, random.Random(seed)), _cause_outage(small, log), _wait_for_share(log, 1)
                )
                for unanswered in working:
                    unanswered.cancel()  # nothing was promised
    small.faults.off()
    return log


async def _cause_outage(small: ChaosStage, log: Log) -> None:
    first, last = OUTAGE
    await _wait_for_share(log, first)
    small.faults.bus_outage(float("inf"))
    await _wait_for_share(log, last)
    small.faults.bus_outage(0)


async def _kill(small: ChaosStage, log: Log, dice: random.Random) -> None:
    for number in range(KILLS):
        await _wait_for_share(log, number / KILLS)
        await asyncio.sleep(dice.uniform(*KILL_PAUSE))
        await small.fleet.kill(small.fleet.services[number % len(small.fleet.services)])


async def _wait_for_share(log: Log, share: float) -> None:
    while len(log.commands) < share * COMMANDS:
        await asyncio.sleep(POLL_SECONDS)
