"""The restore command: the questions to the operator, the comparison, the swap, and the next steps."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.declare.resource_names import PRODUCTION
from deploy.restore.compare import compare
from deploy.restore.recovery import Recovery, Wait, parse_time, target_name
from deploy.restore.swap import refuse_stranger, stack_of, swap, table_properties
from deploy.restore.write_fence import WriteFence
from deploy.stage.change_set import Deployed
from deploy.stage.command import Command
from deploy.stage.stage import tags_of
from deploy.template.table import TABLE_PARAMETER


@dataclass(frozen=True)
class Restore:
    """The restore of one service in one environment, at the time `now`."""

    command: Command
    service: str
    recovery: Recovery
    fence: WriteFence
    now: datetime

    @classmethod
    def of(cls, command: Command, service: str, wait: Wait) -> "Restore":
        stack = command.environment.target.names.stack(service)
        aws = command.environment.aws
        return cls(command, service, Recovery(aws, wait), WriteFence(aws, stack, wait), datetime.now(UTC))

    def at(self, text: str) -> None:
        """Restore the table to that point in time, compare, and swap. Raises DeployError."""
        at, now = parse_time(text), self._stack()
        used, own = now.parameters[TABLE_PARAMETER], table_properties(now)
        self.recovery.window(used, self.now).refuse_outside(at, self.now, used)
        self.recovery.refuse_second(own["TableName"])
        target = target_name(own["TableName"], at, lambda name: self.recovery.describe(name) is not None)
        self._print(
            f"{self.service} uses {used}. This restores it as it was {at:%Y-%m-%d %H:%M:%S} UTC into {target}, gives "
            "that table its time to live, recovery, stream, protection and tags, compares the two, and asks again "
            f"before {self.service} uses it. {used} is kept as it is."
        )
        self._confirm(f"Restore {self.service} of {self._stage}?")
        progress = self.command.console.progress
        self.recovery.restore(used, target, at, own, progress)
        self.recovery.reapply(target, own, tags_of(self.command.environment.target, self.service), progress)
        self._exchange(now, target)
        replay = f"make replay SERVICE={self.service} SUBSCRIPTION=<name> STAGE={self._stage}"
        self._print(
            f"Next: {self.service} has lost what it consumed after that time. For each of its subscriptions: "
            f"{replay} FROM={at:%Y-%m-%dT%H:%M:%S}. What it has published since is in the other services and in "
            "audit; docs/deploying.md explains the consequences."
        )

    def use(self, table: str) -> None:
        """Swap to an existing table: restored before, or used before. For the table in use, undo the write fence that a
        killed swap has left. Raises DeployError."""
        now = self._stack()
        if table == now.parameters[TABLE_PARAMETER]:
            description = refuse_stranger(self.recovery, now, table)
            queues = self.fence.lift(description["TableArn"])
            self._print(f"{self.service} uses {table} already; it takes writes, and {queues} paused queues go on")
            return
        self._exchange(now, table)

    def _exchange(self, now: Deployed, table: str) -> None:
        used, out = now.parameters[TABLE_PARAMETER], self.command.console.out
        refuse_stranger(self.recovery, now, table)
        if self.recovery.describe(used) is None:
            out.print(f"{used} is gone, so there is nothing to compare")
        else:
            comparison = compare(self.command.environment.aws, used, table)
            out.print(comparison.as_table(used, table))
            for sample in comparison.samples:
                out.print(f"  {sample}", highlight=False, markup=False)
            if not comparison.complete:
                out.print("not all items were read: these are the first of each table")
        self._confirm(f"Let {self.service} use {table} in place of {used}?")
        answered = swap(self.command, self.service, now, table, self.recovery, self.fence)
        out.print(f"{self.service} uses {table} now, {answered} functions answer; the way back:")
        out.print(f"  make restore SERVICE={self.service} STAGE={self._stage} TABLE={used}")
        if not self.command.environment.target.lambdas:
            out.print(f"its processes use {used} until they are restarted with the stack's variables")

    def _stack(self) -> Deployed:
        self.command.environment.platform_outputs()
        return stack_of(self.command, self.service)

    def _confirm(self, question: str) -> None:
        if self._stage != PRODUCTION:
            self.command.console.confirm(question)
            return
        refusal = f"{self._stage} is restored only by a person who types its name; no table was swapped"
        self.command.console.confirm_by_name(self._stage, question, refusal)

    @property
    def _stage(self) -> str:
        return self.command.environment.target.stage

    def _print(self, text: str) -> None:
        self.command.console.out.print(text, highlight=False, soft_wrap=True)
