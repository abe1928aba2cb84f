"""One run: clients, a storm, a calm, the comparison; and the controls, which play while the storm's last messages are
hidden."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.embedded.emulator import Emulator
from verification.chaos.check import Finding, dead_letters, findings
from verification.chaos.client import Client, Log
from verification.chaos.controls import Control, control
from verification.chaos.drain import Rest, drained
from verification.chaos.evidence import Witness
from verification.chaos.load import Founding, Organization, Worker
from verification.chaos.place import Stage, emulator_in, stage
from verification.chaos.poison import Poisoner
from verification.chaos.process import Plant
from verification.chaos.storm import Plan, Storm

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is done."""

    commands: int
    plan: Plan
    organizations: int = 4
    members: int = 3
    workers: int = 16


COMMIT = Size(1000, Plan(kills=40, poison=24))
LONG = Size(10_000, Plan(kills=500, poison=200, bursts=6, outages=6, freezes=("notify", "audit", "tasks", "analytics")))
SMALL = Size(60, Plan(kills=6, poison=6, bursts=0, outages=0, freezes=()), organizations=1, members=1, workers=4)


@dataclass
class Outcome:
    """What a run found."""

    seed: int
    log: Log
    faults: dict[str, int]
    kills: int
    freezes: int
    jumping: int
    poison: int
    findings: list[Finding]
    controls: list[Control]
    rest: Rest
    died: list[str]
    seconds: dict[str, float]

    def finding(self, name: str) -> Finding:
        return next(each for each in self.findings if each.name == name)

    @property
    def problems(self) -> list[str]:
        """Everything that must not be, in one line each."""
        log = self.log
        found = [f"{each.name}: lost {one}" for each in self.findings for one in each.lost]
        found += [f"{each.name}: duplicated {one}" for each in self.findings for one in each.duplicated]
        found += [f"{each.name}: {one}" for each in self.findings for one in each.wrong]
        found += [f"not at rest: {self.rest.text}"] if not self.rest.reached else []
        found += [f"refused: {one}" for one in (*log.refused, *log.repeats_refused)]
        found += [f"answered 500: {one}" for one in log.crashes]
        found += [f"never answered: {one.kind} {one.number}" for one in log.commands if one.open]
        found += [f"died: {one}" for one in self.died]
        found += [f"control, {each.text}" for each in self.controls if not each.good]
        return found


async def run(size: Size, seed: int, *, tell: Tell, keep: Path | None = None, controls: bool = True) -> Outcome:
    """Raises DeployError or FleetError if the system does not even start. `keep` is where logs stay."""
    async with AsyncExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        folder = keep or temporary
        folder.mkdir(parents=True, exist_ok=True)
        log = Log(stack.enter_context((folder / "acknowledgements.jsonl").open("w")))
        emulator = await stack.enter_async_context(emulator_in(temporary))
        began = time.monotonic()
        tell("deploying")
        place = await stack.enter_async_context(stage(emulator, folder, "chaos", seed=seed))
        played = _Played(size, seed, emulator, place, log, tell)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        await played.play(session)
        both = asyncio.create_task(_controls(emulator, folder, seed)) if controls else None
        try:
            rest = await played.settle()
            tell("playing the controls")
            shown = await both if both else []
        finally:
            if both:
                both.cancel()
        return await played.outcome(rest, shown, began)


async def _controls(emulator: Emulator, folder: Path, seed: int) -> list[Control]:
    plants = (Plant.NO_INBOX, Plant.NO_OUTBOX)
    return await asyncio.gather(*(control(emulator, folder, plant, seed) for plant in plants))


class _Played:
    """The main system of a run, step by step."""

    def __init__(self, size: Size, seed: int, emulator: Emulator, place: Stage, log: Log, tell: Tell) -> None:
        self.size, self.seed, self.emulator, self.place, self.log, self.tell = size, seed, emulator, place, log, tell
        self.poisoner = Poisoner(emulator, place, seed)
        self.storm = Storm(place, size.plan, self.poisoner, self._progress, seed)
        self.seconds: dict[str, float] = {}
        self._given = 0

    async def play(self, session: aiohttp.ClientSession) -> None:
        """The organizations in peace; then the load in the storm."""
        client = Client(session, self.place.fleet.base_url, self.log, self.seed)
        founding = Founding(client, self.place.issuer.tokens, self.emulator.mailbox)
        names = [f"org-{number}" for number in range(self.size.organizations)]
        started = time.monotonic()
        self.tell("founding organizations")
        orgs = await asyncio.gather(*(founding.found(name, self.size.members) for name in names))
        self.seconds["founding"] = time.monotonic() - started
        self._given, before = 0, len(self.log.commands)
        self._total = max(1, self.size.commands - before)
        self.tell(f"storm: {self._total} commands, {self.size.plan.kills} kills")
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.storm.run())
            for number in range(self.size.workers):
                group.create_task(self._work(self._worker(client, orgs, number)))
        self.seconds["storm"] = time.monotonic() - started

    async def settle(self) -> Rest:
        """The calm: every fault off, every process whole, and time for all that was held up."""
        self.place.faults.off()
        started = time.monotonic()
        await self.place.fleet.calm()
        self.tell("waiting until everything has had its effect")
        rest = await drained(Witness(self.place), lambda: len(self.place.proxy.published))
        self.seconds["recovery"] = time.monotonic() - started
        return rest

    async def outcome(self, rest: Rest, controls: list[Control], began: float) -> Outcome:
        mailbox = await asyncio.to_thread(self.emulator.mailbox)
        held = await asyncio.to_thread(Witness(self.place).everything, mailbox)
        letters = dead_letters(self.poisoner.sent, self.poisoner.on_bus, held.letters)
        found = findings(self.log, self.place.proxy.published, held, letters)
        self.seconds["all"] = time.monotonic() - began
        faults = {kind.value: count for kind, count in sorted(self.place.faults.counted.items())}
        storm = self.storm
        return Outcome(
            self.seed, self.log, faults, storm.kills, storm.freezes, storm.jumping, self.poisoner.count, found,
            controls, rest, self.place.fleet.died, self.seconds,
        )  # fmt: skip

    def _worker(self, client: Client, orgs: list[Organization], number: int) -> Worker:
        org = orgs[number % len(orgs)]
        who = org.members[(number // len(orgs)) % len(org.members)]
        return Worker(client, org, who, random.Random(f"{self.seed} worker {number}"), f"w{number}")

    async def _work(self, worker: Worker) -> None:
        while self._given < self._total:
            self._given += 1
            await worker.work()

    def _progress(self) -> float:
        return min(1.0, self._given / self._total)
