"""One simulation: a snapshot to start from, steps, and the end. A seed and a number of steps replay it exactly."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache

import pytest
import structlog

from services.tasks.imports import csv_import
from verification.simulation.checks import check_rest, check_step
from verification.simulation.client import Client
from verification.simulation.commands import COMMANDS, Commands
from verification.simulation.environment import ENVIRONMENT, Environment
from verification.simulation.wire import Fault, FaultKind
from verification.simulation.world import World

LATEST_FAULT = 12
"""A fault is set at most so many calls ahead: as many as a command or a delivery makes."""
FAVOURED = ("join", "request_upload", "upload", "create_task", "assign", "move", "comment", "retry")
FLOW = ("publish_all", "deliver", "deliver_all")
"""Steps that others depend on are drawn more often."""
FOUNDER, WORKER = "ada@acme.example", "bo@acme.example"


@dataclass(frozen=True)
class Figures:
    """Counts of simulations; faults are crashes, refusals, lost answers, stalls and partial failures."""

    calls: int = 0
    faults: int = 0
    commands: int = 0
    acknowledged: int = 0
    events: int = 0
    poison: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        left, right = asdict(self), asdict(other)
        return Figures(**{name: left[name] + right[name] for name in left})


class Simulation:
    """Plays steps and checks after each. `finish` brings the system to rest and checks everything."""

    def __init__(self, seed: int, snapshot: bytes | None = None, *, background: bool = False) -> None:
        self.world = World(seed, snapshot, background=background)
        self.client = Client(self.world)
        self.commands, self.environment = Commands(self.client), Environment(self.client)

    def step(self, name: str, a: int = 0, b: int = 0) -> None:
        """Play a step by its name; `a` and `b` select among what is possible."""
        steps = self.commands if name in COMMANDS else self.environment
        getattr(steps, name)(a, b)
        check_step(self.world)

    def arm(self, kind: FaultKind, at: int) -> None:
        self.world.wire.armed.append(Fault(kind, at))

    def finish(self) -> None:
        self.environment.drain()
        check_rest(self.world)

    def close(self) -> None:
        self.world.__exit__()


@contextmanager
def simulation(seed: int, snapshot: bytes | None = None, *, background: bool = False) -> Iterator[Simulation]:
    """A simulation without logs, since failures are expected in it.

    Imports have chunks of two rows, so that a small import has several.
    """
    with pytest.MonkeyPatch.context() as patch, silence_logs():
        patch.setattr(csv_import, "CHUNK_ROWS", 2)
        running = Simulation(seed, snapshot, background=background)
        try:
            yield running
        finally:
            running.close()


@contextmanager
def silence_logs() -> Iterator[None]:
    """Drop every log entry."""

    def drop(*_: object) -> structlog.typing.EventDict:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


@cache
def base() -> bytes:
    """Snapshot of an organization with a free plan (three seats), its owner, a member and projects, at rest."""
    with simulation(0, background=True) as running:
        client, step = running.client, running.step
        client.sign_up(FOUNDER)
        running.environment.drain()
        step("create_organization")
        running.environment.drain()
        step("switch")
        for _ in range(2):
            step("create_project")
        step("invite")
        running.environment.drain()
        step("join")
        running.environment.drain()
        step("sign_in", 1)
        step("create_task", 0, 2)
        running.finish()
        organization = next(iter(running.client.ledger.organizations.values()))
        assert len(organization.members) == 2
        assert len(organization.projects) == 2
        assert len(organization.tasks) == 1
        return running.world.snapshot()


def play(seed: int, steps: int, report_step: Callable[[str], None] = lambda _: None) -> Figures:
    """Play random steps. The same seed and number of steps give the same simulation, to the last call.

    Raises Violation.
    """
    dice = random.Random(seed)
    with simulation(seed, base()) as running:
        for number in range(steps):
            name, a, b = random_step(dice)
            report_step(f"{number + 1} {name} {a} {b}")
            if name == "fault":
                running.arm(list(FaultKind)[a % len(FaultKind)], b % LATEST_FAULT)
            else:
                running.step(name, a, b)
        faults = running.world.wire.fired.total()
        running.finish()
        state, ledger = running.world.state, running.client.ledger
        return Figures(
            calls=running.world.wire.count,
            faults=faults,
            commands=len(ledger.commands),
            acknowledged=sum(command.acknowledged for command in ledger.commands),
            events=len(state.committed),
            poison=len(state.poison),
        )


def random_step(dice: random.Random) -> tuple[str, int, int]:
    groups = (COMMANDS, FAVOURED, ENVIRONMENT, FLOW, ("fault",))
    [group] = dice.choices(groups, (4, 2, 3, 4, 2))
    return dice.choice(group), dice.randrange(64), dice.randrange(64)
