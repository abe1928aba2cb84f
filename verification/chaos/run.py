"""One chaos run: clients work in a storm, then all faults end and the outcome is checked.

The controls run while the last messages of the storm are still invisible.
"""

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
from verification.chaos.check import Finding, check_dead_letters, check_promises
from verification.chaos.client import Client, Log
from verification.chaos.controls import Control, run_control
from verification.chaos.drain import Rest, wait_for_rest
from verification.chaos.evidence import Witness
from verification.chaos.load import Founder, Worker
from verification.chaos.poison import Poisoner
from verification.chaos.process import Plant
from verification.chaos.stage import ChaosStage, run_emulator, start_stage
from verification.chaos.storm import Storm, StormPlan

ReportProgress = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """Size of a run: its clients, its commands and its storm."""

    commands: int
    plan: StormPlan
    organizations: int = 4
    members: int = 3
    workers: int = 16


COMMIT = Size(1000, StormPlan(kills=40, poison=24))
LONG = Size(
    10_000, StormPlan(kills=500, poison=200, bursts=6, outages=6, freezes=("notify", "audit", "tasks", "analytics"))
)
SMALL = Size(60, StormPlan(kills=6, poison=6, bursts=0, outages=0, freezes=()), organizations=1, members=1, workers=4)


@dataclass
class Outcome:
    """Outcome of a run: counts, findings, and the controls."""

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
        return next(finding for finding in self.findings if finding.name == name)

    @property
    def problems(self) -> list[str]:
        """Everything that must not happen, one line each."""
        log = self.log
        problems = [f"{each.name}: lost {item}" for each in self.findings for item in each.lost]
        problems += [f"{each.name}: duplicated {item}" for each in self.findings for item in each.duplicated]
        problems += [f"{each.name}: {item}" for each in self.findings for item in each.wrong]
        problems += [f"not at rest: {self.rest.text}"] if not self.rest.reached else []
        problems += [f"refused: {refusal}" for refusal in (*log.refused, *log.repeats_refused)]
        problems += [f"answered 500: {crash}" for crash in log.crashes]
        problems += [f"never answered: {command.kind} {command.number}" for command in log.commands if command.open]
        problems += [f"died: {process}" for process in self.died]
        problems += [f"control, {control.text}" for control in self.controls if not control.good]
        return problems


async def run(
    size: Size, seed: int, *, report_progress: ReportProgress, keep: Path | None = None, controls: bool = True
) -> Outcome:
    """Play the storm and check its outcome. Logs are kept in the folder `keep`.

    Raises DeployError or FleetError if the system does not even start.
    """
    async with AsyncExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        folder = keep or temporary
        folder.mkdir(parents=True, exist_ok=True)
        log = Log(stack.enter_context((folder / "acknowledgements.jsonl").open("w")))
        emulator = await stack.enter_async_context(run_emulator(temporary))
        began = time.monotonic()
        report_progress("deploying")
        stage = await stack.enter_async_context(start_stage(emulator, folder, "chaos", seed=seed))
        play = _Play(size, seed, emulator, stage, log, report_progress)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        await play.run_storm(session)
        plants = (Plant.NO_INBOX, Plant.NO_OUTBOX) if controls else ()
        running_controls = asyncio.gather(*(run_control(emulator, folder, plant, seed) for plant in plants))
        try:
            rest = await play.settle()
            report_progress("running the controls")
            outcomes = await running_controls
        finally:
            running_controls.cancel()
        return await play.outcome(rest, outcomes, began)


class _Play:
    """The steps of a run on its main stage."""

    def __init__(
        self, size: Size, seed: int, emulator: Emulator, stage: ChaosStage, log: Log, report_progress: ReportProgress
    ) -> None:
        self.size, self.seed, self.emulator, self.stage, self.log = size, seed, emulator, stage, log
        self.report_progress = report_progress
        self.poisoner = Poisoner(emulator, stage, seed)
        self.storm = Storm(stage, size.plan, self.poisoner, self.progress, seed)
        self.seconds: dict[str, float] = {}
        self._given = 0

    async def run_storm(self, session: aiohttp.ClientSession) -> None:
        """Found the organizations without any fault, then put the load on the stage during the storm."""
        client = Client(session, self.stage.fleet.base_url, self.log, self.seed)
        founder = Founder(client, self.stage.issuer.tokens, self.emulator.mailbox)
        names = [f"org-{number}" for number in range(self.size.organizations)]
        started = time.monotonic()
        self.report_progress("founding organizations")
        orgs = await asyncio.gather(*(founder.found_organization(name, self.size.members) for name in names))
        self.seconds["founding"] = time.monotonic() - started
        self._given, before = 0, len(self.log.commands)
        self._total = max(1, self.size.commands - before)
        self.report_progress(f"storm: {self._total} commands, {self.size.plan.kills} kills")

        async def work(number: int) -> None:
            org = orgs[number % len(orgs)]
            member = org.members[(number // len(orgs)) % len(org.members)]
            worker = Worker(client, org, member, random.Random(f"{self.seed} worker {number}"), f"w{number}")
            while self._given < self._total:
                self._given += 1
                await worker.work()

        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.storm.run())
            for number in range(self.size.workers):
                group.create_task(work(number))
        self.seconds["storm"] = time.monotonic() - started

    async def settle(self) -> Rest:
        """Turn every fault off, restart every process, and wait until delayed work has had its effect."""
        self.stage.faults.off()
        started = time.monotonic()
        await self.stage.fleet.calm()
        self.report_progress("waiting until everything has had its effect")
        rest = await wait_for_rest(Witness(self.stage), lambda: len(self.stage.proxy.published))
        self.seconds["recovery"] = time.monotonic() - started
        return rest

    async def outcome(self, rest: Rest, controls: list[Control], began: float) -> Outcome:
        mailbox = await asyncio.to_thread(self.emulator.mailbox)
        holdings = await asyncio.to_thread(Witness(self.stage).everything, mailbox)
        dead_letters = check_dead_letters(self.poisoner.sent, self.poisoner.on_bus, holdings.dead_letters)
        findings = check_promises(self.log, self.stage.proxy.published, holdings, dead_letters)
        self.seconds["all"] = time.monotonic() - began
        faults = {kind.value: count for kind, count in sorted(self.stage.faults.counted.items())}
        storm = self.storm
        return Outcome(
            self.seed,
            self.log,
            faults,
            storm.kills,
            storm.freezes,
            storm.jumping,
            self.poisoner.count,
            findings,
            controls,
            rest,
            self.stage.fleet.died,
            self.seconds,
        )

    def progress(self) -> float:
        """The share of the load that is done, from 0 to 1."""
        return min(1.0, self._given / self._total)
