"""What is done to a stage while clients work. Everything is due by their progress, not by the clock, so that a slow
machine has the same storm."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from verification.chaos.place import Stage
from verification.chaos.poison import Poisoner
from verification.chaos.process import Plant

KILL_PAUSE = (0.05, 0.4)
JUMPING_SHARE = 0.25
BURST_SECONDS = 10.0
FROZEN_SECONDS = 23.0
"""Over the visibility of every subscription here (20 s): what the frozen process holds is taken up by another."""
LOOK_SECONDS = 0.02
LAST_KILL, LAST_POISON = 0.97, 0.9
"""Of the load: kills meet work to the end."""


@dataclass(frozen=True)
class Plan:
    """How much of what. Bursts, outages and freezes are spread evenly over the load."""

    kills: int
    poison: int
    bursts: int = 1
    outages: int = 1
    freezes: tuple[str, ...] = ("notify",)


@dataclass
class Storm:
    """`progress` is the share of the load that is done, from 0 to 1."""

    stage: Stage
    plan: Plan
    poisoner: Poisoner
    progress: Callable[[], float]
    seed: int
    kills: int = 0
    freezes: int = 0
    jumping: int = 0
    _frozen: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Everything at once; ends when all of it has happened."""
        self.stage.faults.on = True
        faults = self.stage.faults
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill())
            group.create_task(self._poison())
            group.create_task(self._spread(self.plan.bursts, 0.3, lambda _: _done(faults.throttle, BURST_SECONDS)))
            group.create_task(self._spread(self.plan.outages, 0.7, lambda _: _done(faults.bus_outage, BURST_SECONDS)))
            group.create_task(self._spread(len(self.plan.freezes), 0.05, self._freeze))

    async def _kill(self) -> None:
        dice = random.Random(f"{self.seed} kills")
        while self.kills < self.plan.kills:
            await self._reached(LAST_KILL * self.kills / self.plan.kills)
            await asyncio.sleep(dice.uniform(*KILL_PAUSE))
            plant = Plant.JUMPING_CLOCK if dice.random() < JUMPING_SHARE else None
            await self.stage.fleet.kill(dice.choice(self.stage.fleet.services), plant)
            self.jumping += plant is not None
            self.kills += 1

    async def _poison(self) -> None:
        while self.poisoner.count < self.plan.poison:
            await self._reached(LAST_POISON * self.poisoner.count / self.plan.poison)
            await asyncio.to_thread(self.poisoner.strike)

    async def _spread(self, times: int, offset: float, act: Callable[[int], Awaitable[None]]) -> None:
        for number in range(times):
            await self._reached((number + offset) / times)
            await act(number)

    async def _freeze(self, number: int) -> None:
        service = self.plan.freezes[number]
        frozen = self.stage.fleet.freeze(service)
        self.freezes += 1
        await asyncio.sleep(FROZEN_SECONDS)
        self.stage.fleet.thaw(frozen)

    async def _reached(self, share: float) -> None:
        while self.progress() < share:
            await asyncio.sleep(LOOK_SECONDS)


async def _done(act: Callable[[float], None], seconds: float) -> None:
    act(seconds)
