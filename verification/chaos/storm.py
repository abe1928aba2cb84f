"""The storm: kills, freezes, poison, bursts and outages while clients work.

Everything is due at a share of the load, not at a time, so that a slow machine has the same storm.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from verification.chaos.poison import Poisoner
from verification.chaos.process import Plant
from verification.chaos.stage import ChaosStage

KILL_PAUSE = (0.05, 0.4)
JUMPING_SHARE = 0.25
BURST_SECONDS = 10.0
FROZEN_SECONDS = 23.0
"""Longer than the visibility timeout of every subscription here (20 s): another process receives the messages that
the frozen one holds."""
POLL_SECONDS = 0.02
LAST_KILL, LAST_POISON = 0.97, 0.9
"""Shares of the load at which they end: kills interrupt work until the end."""


@dataclass(frozen=True)
class StormPlan:
    """Numbers of each event of the storm. Bursts, outages and freezes are spread evenly over the load."""

    kills: int
    poison: int
    bursts: int = 1
    outages: int = 1
    freezes: tuple[str, ...] = ("notify",)


@dataclass
class Storm:
    """One storm. `progress` returns the share of the load that is done, from 0 to 1."""

    stage: ChaosStage
    plan: StormPlan
    poisoner: Poisoner
    progress: Callable[[], float]
    seed: int
    kills: int = 0
    freezes: int = 0
    jumping: int = 0

    async def run(self) -> None:
        """Run everything at once; returns when all of it has happened."""
        self.stage.faults.on = True
        faults = self.stage.faults
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill())
            group.create_task(self._poison())
            group.create_task(self._spread(self.plan.bursts, 0.3, lambda _: faults.throttle(BURST_SECONDS)))
            group.create_task(self._spread(self.plan.outages, 0.7, lambda _: faults.bus_outage(BURST_SECONDS)))
            group.create_task(self._spread(len(self.plan.freezes), 0.05, self._freeze))

    async def _kill(self) -> None:
        dice = random.Random(f"{self.seed} kills")
        while self.kills < self.plan.kills:
            await self._wait_for_share(LAST_KILL * self.kills / self.plan.kills)
            await asyncio.sleep(dice.uniform(*KILL_PAUSE))
            plant = Plant.JUMPING_CLOCK if dice.random() < JUMPING_SHARE else None
            await self.stage.fleet.kill(dice.choice(self.stage.fleet.services), plant)
            self.jumping += plant is not None
            self.kills += 1

    async def _poison(self) -> None:
        while self.poisoner.count < self.plan.poison:
            await self._wait_for_share(LAST_POISON * self.poisoner.count / self.plan.poison)
            await asyncio.to_thread(self.poisoner.strike)

    async def _spread(self, times: int, offset: float, act: Callable[[int], Awaitable[None] | None]) -> None:
        for number in range(times):
            await self._wait_for_share((number + offset) / times)
            if (action := act(number)) is not None:
                await action

    async def _freeze(self, number: int) -> None:
        service = self.plan.freezes[number]
        frozen = self.stage.fleet.freeze(service)
        self.freezes += 1
        await asyncio.sleep(FROZEN_SECONDS)
        self.stage.fleet.thaw(frozen)

    async def _wait_for_share(self, share: float) -> None:
        while self.progress() < share:
            await asyncio.sleep(POLL_SECONDS)
