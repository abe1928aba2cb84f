"""The operator's command: what it asks, what it shows, and what it says to do next."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import typer

from chassis.declare.resource_names import PRODUCTION
from deploy.restore.compare import compare
from deploy.restore.recovery import Recovery, RecoveryWindow, Wait, moment, target_name
from deploy.restore.swap import refuse_stranger, stack_of, swap, table_properties
from deploy.restore.write_fence import Fence
from deploy.stage.command import Command
from deploy.stage.errors import RefusedError
from deploy.stage.stacks import Deployed
from deploy.stage.stage import tags_of
from deploy.template.table import TABLE_PARAMETER


@dataclass(frozen=True)
class Restore:
    """One service at one place. `wait` waits some seconds; `now` tells the time."""

    command: Command
    service: str
    recovery: Recovery
    fence: Fence
    now: datetime

    @classmethod
    def of(cls, command: Command, service: str, wait: Wait) -> "Restore":
        stack = command.environment.target.names.stack(service)
        aws = command.environment.aws
        return cls(command, service, Recovery(aws, wait), Fence(aws, stack, wait), datetime.now(UTC))

    def at(self, text: str) -> None:
        """Restore the table as it was then, compare, and swap. Raises DeployError."""
        at, now = moment(text), self._deployed()
        used, own = now.parameters[TABLE_PARAMETER], table_properties(now)
        self._refuse_outside(at, self.recovery.window(used, self.now), used)
        self.recovery.refuse_second(own["TableName"])
        target = target_name(own["TableName"], at, lambda name: self.recovery.describe(name) is not None)
        self._tell(
            f"{self.service} uses {used}. This restores it as it was {at:%Y-%m-%d %H:%M:%S} UTC into {target}, gives "
            "that table its time to live, recovery, stream, protection and tags, compares the two, and asks again "
            f"before {self.service} uses it. {used} is kept as it is."
        )
        self._confirm(f"Restore {self.service} of {self._stage}?")
        say = self.command.say.progress
        self.recovery.restore(used, target, at, own, say)
        self.recovery.reapply(target, own, tags_of(self.command.environment.target, self.service), say)
        self._exchange(now, target)
        replay = f"make replay SERVICE={self.service} SUBSCRIPTION=<name> STAGE={self._stage}"
        self._tell(
            f"Next: what {self.service} consumed after that moment it does not know any more. For each of its "
            f"subscriptions: {replay} FROM={at:%Y-%m-%dT%H:%M:%S}. What it published since stands in the other "
            "services and in audit; docs/deploying.md says what that means."
        )

    def use(self, table: str) -> None:
        """Swap to a table that is there already: restored before, or the one used before. The one in use is freed of
        what an exchange that was killed left of its fence. Raises DeployError."""
        now = self._deployed()
        if table == now.parameters[TABLE_PARAMETER]:
            found = refuse_stranger(self.recovery, now, table)
            queues = self.fence.lift(found["TableArn"])
            self._tell(f"{self.service} uses {table} already; it takes writes, and {queues} queues go on that waited")
            return
        self._exchange(now, table)

    def _exchange(self, now: Deployed, table: str) -> None:
        used, say = now.parameters[TABLE_PARAMETER], self.command.say
        refuse_stranger(self.recovery, now, table)
        if self.recovery.describe(used) is None:
            say.out.print(f"{used} is gone, so there is nothing to compare")
        else:
            found = compare(self.command.environment.aws, used, table)
            say.out.print(found.as_table(used, table))
            for sample in found.samples:
                say.out.print(f"  {sample}", highlight=False, markup=False)
            if not found.complete:
                say.out.print("not all items were read: these are the first of each table")
        self._confirm(f"Let {self.service} use {table} in place of {used}?")
        answered = swap(self.command, self.service, now, table, self.recovery, self.fence)
        say.out.print(f"{self.service} uses {table} now, {answered} functions answer; the way back:")
        say.out.print(f"  make restore SERVICE={self.service} STAGE={self._stage} TABLE={used}")
        if not self.command.environment.target.lambdas:
            say.out.print(f"its processes use {used} until they are started anew with the stack's variables")

    def _refuse_outside(self, at: datetime, window: RecoveryWindow, table: str) -> None:
        if at > self.now:
            raise RefusedError(f"AT={at.isoformat()} is in the future")
        if not window.earliest <= at <= window.latest:
            raise RefusedError(
                f"{table} can be restored as it was from {window.earliest:%Y-%m-%dT%H:%M:%SZ} to "
                f"{window.latest:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
            )

    def _deployed(self) -> Deployed:
        self.command.environment.shared()
        return stack_of(self.command, self.service)

    def _confirm(self, question: str) -> None:
        if self._stage != PRODUCTION:
            self.command.say.confirm(question)
        # Not even YES=1 says this: it stands in somebody's shell history.
        elif not sys.stdin.isatty() or typer.prompt(f"{question} Type the name of the stage") != self._stage:
            raise RefusedError(f"{self._stage} is restored only by a person who types its name; no table was exchanged")

    @property
    def _stage(self) -> str:
        return self.command.environment.target.stage

    def _tell(self, text: str) -> None:
        self.command.say.out.print(text, highlight=False, soft_wrap=True)
