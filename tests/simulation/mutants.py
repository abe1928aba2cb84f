"""Planted bugs, each of which the simulation must find: a simulation that finds none of them proves nothing."""

import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import chassis.members
import services.analytics.usecases
import services.audit.repository
import services.identity.repository
import services.notify.usecases.mailing as mailing
import services.tenancy.repository
import tests.simulation.process
from chassis.context import OrgScope, Scope
from chassis.dispatch import Delivery, Dispatcher
from chassis.errors import AlreadyHandled, Rejected, Retryable
from chassis.keys import Key, outbox_key, shard_of
from chassis.outbox import SHARDS, Outbox, OutboxEntry
from chassis.repository import Aggregate, Repository
from chassis.table import Absent, Anything, Expect, Put
from chassis.unit import Unit
from contracts.common import Plan
from services.analytics.model import task_created
from services.analytics.repository import FiguresRepository
from services.notify.model import Delivery as Owed
from services.notify.ports import Composer, Letter, Mailer
from services.tasks.model import Import, PlannedTask, Task
from services.tenancy.repository import Seats
from tests.simulation.environment import Environment
from tests.simulation.queues import DeadLetter
from tests.simulation.violations import Kind

Patch = pytest.MonkeyPatch
Settle = Callable[[Dispatcher], Callable[[Any], Awaitable[None]]]
_fresh = itertools.count(1)


def inbox_off(patch: Patch) -> None:
    """Consumers claim nothing."""
    _claim_only(patch, lambda is_event: not is_event)


def keys_ignored(patch: Patch) -> None:
    """Requests claim nothing, whatever their Idempotency-Key."""
    _claim_only(patch, lambda is_event: is_event)
    patch.setattr(Scope, "new_id", lambda scope, prefix: scope.tools.ids.new(prefix))


def _claim_only(patch: Patch, wanted: Callable[[bool], bool]) -> None:
    real = Unit.__init__

    def init(self: Unit, scope: Scope, *, step: str = "", claimed: bool = True) -> None:
        claim = scope.cause.claim
        real(self, scope, step=step, claimed=claimed and claim is not None and wanted(claim.is_event))

    patch.setattr(Unit, "__init__", init)


def claim_outside(patch: Patch) -> None:
    """The inbox is looked into first and written to afterwards, not with the effect."""
    real = Unit.commit

    async def commit(self: Unit) -> bool:
        if self._claim is None or not self._claim.is_event:
            return await real(self)
        claim, table = self._operations.pop(0), self._scope.tools.table
        del self._errors[0]
        if await table.get(claim.key):
            raise AlreadyHandled("It was claimed.")
        self._claim = None
        await real(self)
        await table.write([claim])
        return True

    patch.setattr(Unit, "commit", commit)


def outbox_off(patch: Patch) -> None:
    """Events are published from memory only: what is written beside the state is nothing that anybody looks for."""

    def operation(self: Outbox, entry: OutboxEntry) -> Put:
        values = {"source": entry.source, "type": entry.event_type, "detail": entry.detail}
        return Put(Key("NOWHERE", entry.event_id), values, Absent())

    patch.setattr(Outbox, "operation", operation)


def sweeper_off(patch: Patch) -> None:
    """Nobody publishes what a crash left behind."""

    async def sweep(self: Outbox) -> int:
        return 0

    patch.setattr(Outbox, "sweep", sweep)


def cleared_before_the_answer(patch: Patch) -> None:
    """The outbox forgets an event before the bus has it."""

    async def publish(self: Outbox, batch: Sequence[OutboxEntry]) -> int:
        await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in batch])
        return sum(await self._bus.put(batch))

    patch.setattr(Outbox, "_publish", publish)


def partial_failure_ignored(patch: Patch) -> None:
    """What the bus refuses of a batch counts as accepted."""

    async def publish(self: Outbox, batch: Sequence[OutboxEntry]) -> int:
        await self._bus.put(batch)
        await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in batch])
        return len(batch)

    patch.setattr(Outbox, "_publish", publish)


def published_before_the_commit(patch: Patch) -> None:
    """Events are handed over before their transaction is done."""
    real = Unit.commit

    async def commit(self: Unit) -> bool:
        outbox, entries = self._scope.tools.outbox, self._entries
        outbox.hand_over(entries)
        self._operations += [outbox.operation(entry) for entry in entries]
        self._entries = []
        return await real(self)

    patch.setattr(Unit, "commit", commit)


def ack_before_the_handler(patch: Patch) -> None:
    def settling(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            await message.ack()
            with contextlib.suppress(Exception):
                await dispatcher.handle(_delivery(message))

        return receive

    _settle_by(patch, settling)


def retryable_is_rejected(patch: Patch) -> None:
    """The first passing trouble sends a message to the dead letters."""

    def settling(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            try:
                await dispatcher.handle(_delivery(message))
            except (Rejected, Retryable) as error:
                await message.reject(error.detail)
            else:
                await message.ack()

        return receive

    _settle_by(patch, settling)


def errors_swallowed(patch: Patch) -> None:
    """Whatever a handler raises, its message is done."""

    def settling(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            try:
                await dispatcher.handle(_delivery(message))
            except Rejected as error:
                await message.reject(error.detail)
            except Exception:  # noqa: BLE001
                await message.ack()
            else:
                await message.ack()

        return receive

    _settle_by(patch, settling)


def _settle_by(patch: Patch, settling: Settle) -> None:
    patch.setattr(tests.simulation.process, "settling", settling)


def _delivery(message: Any) -> Delivery:
    return Delivery(message.body, message.message_id, message.receive_count, message.sent_at)


def poison_forgotten(patch: Patch) -> None:
    """What can never succeed is acknowledged and forgotten."""

    def settling(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            try:
                await dispatcher.handle(_delivery(message))
            except Retryable:
                await message.nack()
            except Rejected:
                await message.ack()
            else:
                await message.ack()

        return receive

    _settle_by(patch, settling)


def redriven_as_new(patch: Patch) -> None:
    """A redrive publishes the event anew, under another id that no inbox knows."""

    def body_again(self: Environment, letter: DeadLetter) -> str:
        body = {} if letter.body in self._state.poison else json.loads(letter.body)
        if "orgid" not in body.get("detail", {}):
            return letter.body
        body["detail"]["id"] = f"redriven{next(_fresh)}"
        return json.dumps(body)

    patch.setattr(Environment, "_body_again", body_again)


def repetition_fails(patch: Patch) -> None:
    """A message whose effect exists is taken for one that failed."""

    async def run(self: Dispatcher, call: Any, _span: object) -> None:
        try:
            await call.handler(call.argument, call.context)
        except AlreadyHandled as error:
            raise Retryable("It failed.") from error

    patch.setattr(Dispatcher, "_run", run)


def any_version_projected(patch: Patch) -> None:
    """An older state of a membership overwrites a newer one."""
    patch.setattr(chassis.members, "OlderThan", lambda _version: Anything())


def any_version_in_tokens(patch: Patch) -> None:
    """The same in identity."""
    patch.setattr(services.identity.repository, "OlderThan", lambda _version: Anything())


def registered_again(patch: Patch) -> None:
    """A repeated confirmation registers its user once more."""
    _unconditional(patch, services.identity.repository.Profiles)


def sealers_overwrite(patch: Patch) -> None:
    """Sealers do not look whether another one was faster."""
    for each in ("Heads", "Blocks", "Records"):
        _unconditional(patch, getattr(services.audit.repository, each))


def _unconditional(patch: Patch, repository: type[Repository[Any]]) -> None:
    real = Repository._put

    def put(self: Repository[Any], unit: Unit, aggregate: Aggregate, expect: Expect, otherwise: Any) -> Any:
        return real(self, unit, aggregate, Anything(), otherwise)

    patch.setattr(repository, "_put", put)


def seats_unlimited(patch: Patch) -> None:
    """Seats are counted, and the limit is not part of the transaction."""

    def take(self: Seats, unit: Unit, _plan: Plan) -> None:
        unit.add(self._key, {"seats": 1})

    patch.setattr(Seats, "take", take)


def seat_freed_apart(patch: Patch) -> None:
    """The seat of who leaves is freed in a transaction of its own, which a crash leaves out."""
    real = Unit.commit

    def free(self: Seats, unit: Unit) -> None:
        unit._freed = self._key  # type: ignore[attr-defined]

    async def commit(self: Unit) -> bool:
        done = await real(self)
        if key := getattr(self, "_freed", None):
            apart = self._scope.unit(claimed=False)
            apart.add(key, {"seats": -1})
            await real(apart)
        return done

    patch.setattr(Seats, "free", free)
    patch.setattr(Unit, "commit", commit)


def marked_before_sent(patch: Patch) -> None:
    """An e-mail counts as sent before the mail service has it."""

    async def send(scope: OrgScope, delivery: Owed, letter: Letter | None) -> None:
        if letter is None:
            return await mailing._settle(scope, delivery.failed(mailing.GONE))
        await mailing._settle(scope, delivery.sent(scope.now()))
        return await scope.port(Mailer).send(scope.port(Composer).compose(delivery.id, delivery.recipient, letter))

    patch.setattr(mailing, "_send", send)


def imported_under_fresh_ids(patch: Patch) -> None:
    """A task of an import does not get the same id again."""
    real = Import.task_of

    def task_of(self: Import, row: PlannedTask, now: Any) -> Task:
        return real(self, row, now).model_copy(update={"id": f"task_fresh{next(_fresh)}"})

    patch.setattr(Import, "task_of", task_of)


def one_unclaimed_consumer(patch: Patch) -> None:
    """One use case of one consumer forgets its claim."""

    async def count_created(scope: OrgScope, project_id: str, status: Any, day: Any) -> None:
        unit = scope.unit(claimed=False)
        change = task_created(status, day)
        FiguresRepository(scope).add_to_project(unit, project_id, change)
        await unit.commit()

    patch.setattr(services.analytics.usecases, "count_created", count_created)


DOUBLE: frozenset[Kind] = frozenset({"duplicated", "projection"})
LOSS: frozenset[Kind] = frozenset({"lost", "audit", "stuck"})
MISLAID: frozenset[Kind] = frozenset({"dead letters"})


@dataclass(frozen=True)
class Planted:
    """A bug, and the promises of which it breaks one: to be found for another reason proves nothing. `chapter` is
    where in the day it shows; None is anywhere."""

    plant: Callable[[Patch], None]
    breaks: frozenset[Kind]
    chapter: str | None = None

    @property
    def name(self) -> str:
        return self.plant.__name__


CONTROLS = (Planted(inbox_off, DOUBLE), Planted(outbox_off, frozenset({"lost"})))
MUTANTS = (
    Planted(keys_ignored, DOUBLE),
    Planted(claim_outside, DOUBLE),
    Planted(sweeper_off, LOSS),
    Planted(cleared_before_the_answer, LOSS),
    Planted(partial_failure_ignored, LOSS),
    Planted(published_before_the_commit, frozenset({"without a command"})),
    Planted(ack_before_the_handler, LOSS | MISLAID),
    Planted(retryable_is_rejected, MISLAID),
    Planted(errors_swallowed, LOSS | {"projection"}),
    Planted(poison_forgotten, MISLAID),
    Planted(redriven_as_new, DOUBLE | {"audit"}),
    Planted(repetition_fails, LOSS),
    Planted(any_version_projected, DOUBLE),
    Planted(any_version_in_tokens, DOUBLE),
    Planted(registered_again, DOUBLE, "arrive"),
    Planted(sealers_overwrite, frozenset({"chain"})),
    Planted(seats_unlimited, frozenset({"limit"})),
    Planted(seat_freed_apart, frozenset({"limit"}), "invite"),
    Planted(marked_before_sent, LOSS, "invite"),
    Planted(imported_under_fresh_ids, DOUBLE, "work"),
    Planted(one_unclaimed_consumer, DOUBLE),
)
