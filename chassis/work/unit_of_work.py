"""The unit of work: state, events and the claim that makes them happen once, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chassis.errors import AlreadyExists, AlreadyHandled, Conflict, LimitReached, Stale, TenfoldError, TooLarge
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import (
    Absent,
    Add,
    Anything,
    AtVersion,
    Check,
    ConditionRefused,
    Delete,
    Expect,
    Item,
    OlderThan,
    Put,
    WriteOperation,
)
from chassis.telemetry.tracing import start_publish_span, traceparent_of
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.idempotency_claims import ANSWERED, BEGUN, of_step, refuse_answered
from chassis.work.outbox import OutboxEntry, check_size
from contracts.event import SOURCE_PREFIX, ContractError, Envelope, Event
from contracts.versions import older_types

T = TypeVar("T")


class UnitOfWork:
    """Collects changes, then commits all of them or none: nothing is visible before, and nothing is half done after.

    Each change has the error to raise if its condition does not hold (`on_conflict`).
    """

    def __init__(
        self, context: ServiceContext, actor: Actor, cause: Cause, org_id: str, *, step: str = "", claimed: bool = True
    ) -> None:
        """Use `Scope.unit_of_work`. `org_id` is the organization of the events."""
        self._context, self._actor, self._cause, self._org_id = context, actor, cause, org_id
        self._changes: list[_Change] = []
        self._entries: list[OutboxEntry] = []
        claim = cause.claim if claimed else None
        self._claim = of_step(claim, step) if claim and step else claim
        self._answer: Mapping[str, Any] | None = None

    def put(
        self,
        key: Key,
        values: BaseModel | Mapping[str, Any],
        *,
        expect: Expect,
        lists: Sequence[ListEntry] = (),
        expires_at: int | None = None,
        on_conflict: TenfoldError | None = None,
    ) -> None:
        """Write a whole item. `lists` are its entries in lists (GSIs), `expires_at` is its TTL in epoch seconds."""
        item = dict(values) if isinstance(values, Mapping) else values.model_dump(mode="json", exclude_none=True)
        for entry in lists:
            item[f"L{entry.index}PK"], item[f"L{entry.index}SK"] = entry.pk, entry.sort
        if expires_at is not None:
            item["expires_at"] = expires_at
        self._add(Put(key, item, expect), on_conflict or _default_error(expect))

    def delete(self, key: Key, *, expect: Expect | None = None, on_conflict: TenfoldError | None = None) -> None:
        expect = expect or Anything()
        self._add(Delete(key, expect), on_conflict or _default_error(expect))

    def add(
        self,
        key: Key,
        amounts: Mapping[str, int],
        *,
        at_most: Mapping[str, int] | None = None,
        set_attributes: Mapping[str, Any] | None = None,
        lists: Sequence[ListEntry] = (),
        on_conflict: TenfoldError | None = None,
    ) -> None:
        """Add to counters. Additions commute, so the order of events does not matter."""
        attributes = dict(set_attributes or {})
        for entry in lists:
            attributes[f"L{entry.index}PK"], attributes[f"L{entry.index}SK"] = entry.pk, entry.sort
        self._add(
            Add(key, dict(amounts), dict(at_most or {}), attributes),
            on_conflict or LimitReached("The plan's limit is reached."),
        )

    def require(self, key: Key, equals: Mapping[str, Any] | None = None, *, on_conflict: TenfoldError) -> None:
        """Commit only if the item exists with these values."""
        self._add(Check(key, dict(equals or {})), on_conflict)

    def publish(self, event: Event, *, version: int, org_id: str | None = None, older: Sequence[Event] = ()) -> str:
        """Publish `event` with the commit; `version` is the aggregate's version after it. Returns the event's id.

        `older` is the same fact in older versions, for consumers that have not moved to the new one; consumers that
        have do not get it twice. Raises ContractError if another service owns the event or it does not match its
        schema, TooLarge if EventBridge would refuse its size.
        """
        for before in older:
            if before.event_type not in older_types(event.event_type):
                raise ContractError(
                    f"no upcaster turns {before.event_type} into {event.event_type}; write one beside it"
                )
            self._publish(before, version, org_id, successor=event.event_type)
        return self._publish(event, version, org_id)

    def _publish(self, event: Event, version: int, org_id: str | None, successor: str | None = None) -> str:
        if event.owner() != self._context.service:
            raise ContractError(f"{self._context.service} may not publish {event.event_type}")
        data = _validate_data(event)
        event_id = self._context.ids.new()
        span = start_publish_span(event.event_type, event_id)
        envelope = Envelope(
            id=event_id,
            source=SOURCE_PREFIX + event.owner(),
            type=event.event_type,
            time=self._context.clock.now(),
            subject=event.subject(),
            dataschema=event.schema_path(),
            orgid=org_id or self._org_id,
            actor=self._actor.id,
            aggregateversion=version,
            correlationid=self._cause.correlation_id,
            causationid=self._cause.causation_id,
            successor=successor,
            traceparent=traceparent_of(span),
            clientip=self._actor.client_ip,
            useragent=self._actor.user_agent,
            data=data,
        )
        detail = json.dumps(
            envelope.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":")
        )
        entry = OutboxEntry(event_id, envelope.source, envelope.type, detail, span)
        self._entries.append(entry)
        try:
            check_size(entry)
        except TooLarge:
            self._abandon()
            raise
        return event_id

    async def answer(self, result: T) -> T:
        """Commit, and record with it the request's answer, made from `result`, for a repetition of the request.

        Returns `result`. Raises as `commit` does, and AlreadyAnswered if an earlier try recorded its answer."""
        recorder = self._claim.recorder if self._claim else None
        self._answer = recorder.values(result) if recorder is not None else None
        if not await self.commit():
            raise AlreadyHandled("This request was carried out already, and its answer was not recorded.")
        if recorder is not None:
            recorder.done = self._answer is not None
        return result

    async def commit(self) -> bool:
        """Write all changes and publish the events. Returns False if an earlier try of the same request (by its
        Idempotency-Key) did that and recorded no answer.

        Raises AlreadyAnswered if it recorded one, Invalid if the key was used for another request, AlreadyHandled for
        an event whose effect exists, the error of the first change whose condition does not hold, or Unavailable.
        """
        outbox, claim = self._context.outbox, self._claim_change()
        changes = self._changes if claim is None else [claim, *self._changes]
        writes = [*(change.write for change in changes), *(outbox.operation(entry) for entry in self._entries)]
        try:
            if writes:
                await self._context.table.write(writes)
        except ConditionRefused as refused:
            self._abandon()
            change = changes[refused.positions[0]]
            if change is claim and self._claim is not None and not self._claim.is_event:
                await refuse_answered(self._context.table, self._claim)
                return False
            raise change.on_conflict from None
        except BaseException:
            self._abandon()
            raise
        outbox.hand_over(self._entries)
        return True

    def _claim_change(self) -> "_Change | None":
        """The write of the claim: for an event, that its effect exists; for a request, also its recorded answer."""
        if self._claim is None:
            return None
        now = self._context.clock.now()
        item: Item = {
            "claimed_at": now.isoformat(),
            "expires_at": int((now + timedelta(days=self._claim.days)).timestamp()),
        }
        if not self._claim.is_event:
            item |= {"fingerprint": self._claim.fingerprint, "version": BEGUN}
        if self._answer is not None:
            item |= {**self._answer, "version": ANSWERED}
        return _Change(Put(self._claim.key, item, Absent()), AlreadyHandled("Its effect exists already."))

    def _abandon(self) -> None:
        for entry in self._entries:
            entry.span.end()

    def _add(self, write: WriteOperation, on_conflict: TenfoldError) -> None:
        self._changes.append(_Change(write, on_conflict))


@dataclass(frozen=True)
class _Change:
    """One write, and the error to raise if its condition does not hold."""

    write: WriteOperation
    on_conflict: TenfoldError


def _validate_data(event: Event) -> dict[str, Any]:
    """The event's data for the bus, validated as it is now: `model_construct`, `model_copy` or a list that grew may
    have changed it after its own validation. Raises ContractError."""
    data = event.model_dump(mode="json", exclude_none=True, warnings=False)
    try:
        type(event).model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ContractError(f"{event.event_type} does not match its schema: {field}: {first['msg']}") from None
    return data


def _default_error(expect: Expect) -> TenfoldError:
    match expect:
        case Absent():
            return AlreadyExists("It exists already.")
        case OlderThan():
            return AlreadyHandled("A newer state is known.")
        case AtVersion():
            return Stale("It was changed by somebody else; read it again and repeat your change.")
        case _:
            return Conflict("It is not in the expected state.")
