"""Planted bugs in the messaging core, each of which the simulation must find."""

import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

import verification.simulation.process
from chassis.errors import AlreadyHandled, Rejected, Retryable
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.storage.keys import Key, outbox_key, shard_of
from chassis.storage.table import Absent, Put
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import SHARDS, Outbox, OutboxEntry
from chassis.work.scope import Scope
from chassis.work.unit_of_work import UnitOfWork
from verification.simulation.environment import Environment
from verification.simulation.queues import DeadLetter

Patch = pytest.MonkeyPatch
Settle = Callable[[Dispatcher], Callable[[Any], Awaitable[None]]]
_fresh = itertools.count(1)


def inbox_off(patch: Patch) -> None:
    """Consumers claim nothing."""
    _claim_only(patch, lambda is_event: not is_event)


def keys_ignored(patch: Patch) -> None:
    """Requests claim nothing, whatever their Idempotency-Key."""
    _claim_only(patch, lambda is_event: is_event)
    patch.setattr(Scope, "new_id", lambda scope, prefix: scope.context.ids.new(prefix))


def _claim_only(patch: Patch, wanted: Callable[[bool], bool]) -> None:
    real = UnitOfWork.__init__

    def init(
        self: UnitOfWork,
        context: ServiceContext,
        actor: Actor,
        cause: Cause,
        org_id: str,
        *,
        step: str = "",
        claimed: bool = True,
    ) -> None:
        claimed = claimed and cause.claim is not None and wanted(cause.claim.is_event)
        real(self, context, actor, cause, org_id, step=step, claimed=claimed)

    patch.setattr(UnitOfWork, "__init__", init)


def claim_outside(patch: Patch) -> None:
    """The inbox is read before the effect and written after it, not in its transaction."""
    real = UnitOfWork.commit

    async def commit(self: UnitOfWork) -> bool:
        if self._claim is None or not self._claim.is_event:
            return await real(self)
        change, table = self._claim_change(), self._context.table
        assert change is not None
        if await table.get(change.write.key):
            raise AlreadyHandled("It was claimed.")
        self._claim = None
        await real(self)
        await table.write([change.write])
        return True

    patch.setattr(UnitOfWork, "commit", commit)


def outbox_off(patch: Patch) -> None:
    """Events are published from memory only: their outbox entries have a key that no sweeper reads."""

    def operation(self: Outbox, entry: OutboxEntry) -> Put:
        values = {"source": entry.source, "type": entry.event_type, "detail": entry.detail}
        return Put(Key("NOWHERE", entry.event_id), values, Absent())

    patch.setattr(Outbox, "operation", operation)


def sweeper_off(patch: Patch) -> None:
    """Outbox entries left by a crash are never published."""

    async def sweep(self: Outbox) -> int:
        return 0

    patch.setattr(Outbox, "sweep", sweep)


def cleared_before_the_answer(patch: Patch) -> None:
    """Outbox entries are deleted before the bus has accepted them."""

    async def publish(self: Outbox, batch: Sequence[OutboxEntry]) -> int:
        await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in batch])
        return sum(await self._bus.put(batch))

    patch.setattr(Outbox, "_publish", publish)


def partial_failure_ignored(patch: Patch) -> None:
    """Entries of a batch that the bus refuses count as accepted."""

    async def publish(self: Outbox, batch: Sequence[OutboxEntry]) -> int:
        await self._bus.put(batch)
        await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in batch])
        return len(batch)

    patch.setattr(Outbox, "_publish", publish)


def published_before_the_commit(patch: Patch) -> None:
    """Events are handed over to be published before their transaction is committed."""
    real = UnitOfWork.commit

    async def commit(self: UnitOfWork) -> bool:
        outbox, entries = self._context.outbox, self._entries
        outbox.hand_over(entries)
        for entry in entries:
            self._add(outbox.operation(entry), AlreadyHandled("It is in the outbox."))
        self._entries = []
        return await real(self)

    patch.setattr(UnitOfWork, "commit", commit)


def ack_before_the_handler(patch: Patch) -> None:
    """A message is acknowledged before its handler runs."""

    def acknowledge(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            await message.ack()
            with contextlib.suppress(Exception):
                await dispatcher.handle(_delivery(message))

        return receive

    _settle_by(patch, acknowledge)


def retryable_is_rejected(patch: Patch) -> None:
    """A message is dead-lettered on its first retryable error."""

    def acknowledge(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
        async def receive(message: Any) -> None:
            try:
                await dispatcher.handle(_delivery(message))
            except (Rejected, Retryable) as error:
                await message.reject(error.detail)
            else:
                await message.ack()

        return receive

    _settle_by(patch, acknowledge)


def errors_swallowed(patch: Patch) -> None:
    """A message is acknowledged although its handler failed."""

    def acknowledge(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
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

    _settle_by(patch, acknowledge)


def _settle_by(patch: Patch, acknowledge: Settle) -> None:
    patch.setattr(verification.simulation.process, "acknowledge", acknowledge)


def _delivery(message: Any) -> Delivery:
    return Delivery(message.body, message.message_id, message.receive_count, message.sent_at)


def poison_forgotten(patch: Patch) -> None:
    """A message that can never succeed is acknowledged, not dead-lettered."""

    def acknowledge(dispatcher: Dispatcher) -> Callable[[Any], Awaitable[None]]:
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

    _settle_by(patch, acknowledge)


def unknown_forgotten(patch: Patch) -> None:
    """An event without a handler in this deployment is acknowledged."""
    real = Dispatcher.handle

    async def handle(self: Dispatcher, delivery: Delivery) -> None:
        try:
            await real(self, delivery)
        except Rejected as error:
            if "has no handler for" not in error.detail or b"moved.v9" in delivery.body:
                raise

    patch.setattr(Dispatcher, "handle", handle)


def redriven_as_new(patch: Patch) -> None:
    """A redrive gives the event a new id, which no inbox knows."""

    def redriven_body(self: Environment, dead_letter: DeadLetter) -> str:
        body = {} if dead_letter.body in self._state.poison else json.loads(dead_letter.body)
        if "orgid" not in body.get("detail", {}):
            return dead_letter.body
        body["detail"]["id"] = f"redriven{next(_fresh)}"
        return json.dumps(body)

    patch.setattr(Environment, "_redriven_body", redriven_body)


def repetition_fails(patch: Patch) -> None:
    """A message whose effect exists already is treated as failed."""

    async def run(self: Dispatcher, call: Any, _span: object) -> None:
        try:
            await call.handler(call.argument, call.context)
        except AlreadyHandled as error:
            raise Retryable("It failed.") from error

    patch.setattr(Dispatcher, "_run", run)
