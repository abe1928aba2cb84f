"""Negative controls: the same storm, small, on services without an inbox and without an outbox. The first must
duplicate and the second must lose, or the test sees nothing."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chassis.auth.tokens import TokenClaims
from contracts.common import Role
from deploy.embedded.emulator import Emulator
from verification.chaos.check import commands, figures
from verification.chaos.client import Client, Log
from verification.chaos.drain import drained
from verification.chaos.evidence import Witness
from verification.chaos.faults import Rates
from verification.chaos.load import Organization, Person, Worker
from verification.chaos.place import Stage, stage
from verification.chaos.process import Plant
from verification.chaos.storm import KILL_PAUSE
from verification.simulation.facts import Facts

SERVICES = {Plant.NO_INBOX: ("tasks", "analytics"), Plant.NO_OUTBOX: ("tasks",)}
COMMANDS, KILLS, WORKERS = 100, 6, 6
OUTAGE = (0.3, 0.7)
"""Of the load: while it lasts, events wait in memory, where a kill finds them."""
LOOK_SECONDS = 0.02
HOT = Rates(refused=0.02, executed_then_500=0.2, slow=0)
"""So that a small system meets as many lies as a large one."""


@dataclass(frozen=True)
class Control:
    """How many effects a control duplicated (without the inbox) or lost (without the outbox): there must be some."""

    plant: Plant
    shown: int

    @property
    def good(self) -> bool:
        return self.shown > 0

    @property
    def text(self) -> str:
        what = "duplicated" if self.plant is Plant.NO_INBOX else "lost"
        return f"{self.plant.value}: {self.shown} {what}, {'as it must' if self.good else 'SO THIS TEST SEES NOTHING'}"


async def control(emulator: Emulator, folder: Path, plant: Plant, seed: int) -> Control:
    """Play it on a stage of its own. What is lost shows at once; what comes twice may take until everything is at
    rest."""
    name = plant.value.replace(" ", "")
    async with stage(emulator, folder, name, seed=seed, rates=HOT, services=SERVICES[plant], plant=plant) as small:
        log = await _stormed(small, folder, seed)
        await small.fleet.calm()
        witness = Witness(small)

        async def looked() -> Control:
            held = await asyncio.to_thread(witness.holdings)
            facts = Facts(small.proxy.published)
            if plant is Plant.NO_OUTBOX:
                return Control(plant, len(commands(log, facts).lost))
            return Control(plant, len(figures(facts, held).duplicated))

        shown = await looked()
        if not shown.good and plant is Plant.NO_INBOX:
            await drained(witness, lambda: len(small.proxy.published))
            shown = await looked()
        return shown


async def _stormed(small: Stage, folder: Path, seed: int) -> Log:
    with (folder / f"{small.name}.jsonl").open("w") as file:
        log = Log(file)
        async with aiohttp.ClientSession() as session:
            client = Client(session, small.fleet.base_url, log, seed)
            nobody, who = Organization("org_control", []), _member(small)
            workers = [Worker(client, nobody, who, random.Random(f"{seed} {n}"), f"c{n}") for n in range(WORKERS)]
            small.faults.on = True
            async with asyncio.TaskGroup() as group:
                work = [group.create_task(_work(worker, log)) for worker in workers]
                await asyncio.gather(_kill(small, log, random.Random(seed)), _outage(small, log), _reached(log, 1))
                for unanswered in work:
                    unanswered.cancel()  # nothing was promised
    small.faults.off()
    return log


async def _work(worker: Worker, log: Log) -> None:
    while len(log.commands) < COMMANDS:
        await (worker.create_task() if worker.project else worker.create_project())


async def _outage(small: Stage, log: Log) -> None:
    first, last = OUTAGE
    await _reached(log, first)
    small.faults.bus_outage(float("inf"))
    await _reached(log, last)
    small.faults.bus_outage(0)


async def _kill(small: Stage, log: Log, dice: random.Random) -> None:
    for number in range(KILLS):
        await _reached(log, number / KILLS)
        await asyncio.sleep(dice.uniform(*KILL_PAUSE))
        await small.fleet.kill(small.fleet.services[number % len(small.fleet.services)])


async def _reached(log: Log, share: float) -> None:
    while len(log.commands) < share * COMMANDS:
        await asyncio.sleep(LOOK_SECONDS)


def _member(small: Stage) -> Person:
    claims = TokenClaims(
        user_id="user_control", email="c@acme.example", name="C", org="org_control", role=Role.OWNER, mv=1
    )
    return Person(claims.user_id, claims.email, small.issuer.tokens.token(claims))
