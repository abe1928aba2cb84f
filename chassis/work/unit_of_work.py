"""The unit of work: state, events and the claim that makes them happen once, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

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
    OlderThan,
    Operation,
    Put,
)
from chassis.telemetry.tracing import start_publish_span, traceparent_of
from chassis.work.idempotency_claims import ANSWERED, BEGUN, of_step, refuse_answered
from chassis.work.outbox import OutboxEntry, check_size
from contracts.event import SOURCE_PREFIX, ContractError, Envelope, Event
from contracts.versions import older_types

if TYPE_CHECKING:
    from chassis.work.context import Scope

T = TypeVar("T")


class Unit:
    """Collect changes, then `commit` all of them or none. Nothing is visible before, nothing is half-done after.

    Each change carries the error to raise when its condition does not hold (`otherwise`).
    """

    def __init__(self, scope: "Scope", *, step: str = "", claimed: bool = True) -> None:
        self._scope = scope
        self._operations: list[Operation] = []
        self._errors: list[TenfoldError] = []
        self._entries: list[OutboxEntry] = []
        claim = scope.cause.claim if claimed else None
        self._claim = claim = of_step(claim, step) if claim and step else claim
        if claim is not None:
            expires = int((scope.now() + timedelta(days=claim.days)).timestamp())
            item = {"claimed_at": scope.now().isoformat(), "expires_at": expires}
            item |= {"fingerprint": claim.fingerprint, "version": BEGUN} if not claim.is_event else {}
            self._add(Put(claim.key, item, Absent()), AlreadyHandled("Its effect exists already."))

    def put(
        self,
        key: Key,
        values: BaseModel | Mapping[str, Any],
        *,
        expect: Expect,
        lists: Sequence[ListEntry] = (),
        expires_at: int | None = None,
        otherwise: TenfoldError | None = None,
    ) -> None:
        """Write an item whole. `lists` are its places in the list indexes, `expires_at` its TTL in epoch seconds."""
        item = dict(values) if isinstance(values, Mapping) else values.model_dump(mode="json", exclude_none=True)
        for entry in lists:
            item[f"L{entry.index}PK"], item[f"L{entry.index}SK"] = entry.pk, entry.sort
        if expires_at is not None:
            item["expires_at"] = expires_at
        self._add(Put(key, item, expect), otherwise or _default_error(expect))

    def delete(self, key: Key, *, expect: Expect | None = None, otherwise: TenfoldError | None = None) -> None:
        expect = expect or Anything()
        self._add(Delete(key, expect), otherwise or _default_error(expect))

    def add(
        self,
        key: Key,
        amounts: Mapping[str, int],
        *,
        at_most: Mapping[str, int] | None = None,
        fixed: Mapping[str, Any] | None = None,
        lists: Sequence[ListEntry] = (),
        otherwise: TenfoldError | None = None,
    ) -> None:
        """Add to counters; they commute, so the order of events does not matter."""
        attributes = dict(fixed or {})
        for entry in lists:
            attributes[f"L{entry.index}PK"], attributes[f"L{entry.index}SK"] = entry.pk, entry.sort
        self._add(
            Add(key, dict(amounts), dict(at_most or {}), attributes),
            otherwise or LimitReached("The plan's limit is reached."),
        )

    def require(self, key: Key, equals: Mapping[str, Any] | None = None, *, otherwise: TenfoldError) -> None:
        """Commit only if the item exists with these values."""
        self._add(Check(key, dict(equals or {})), otherwise)

    def publish(self, event: Event, *, version: int, org_id: str | None = None, older: Sequence[Event] = ()) -> str:
        """Publish `event` with the commit; `version` is the aggregate's version after it. Returns the event's id.

        `older` is the same fact in older versions, for consumers that have not moved; who has, does not get it twice.
        Raises ContractError if another service owns the event or it does not match its schema, TooLarge if EventBridge
        would refuse its size.
        """
        for before in older:
            if before.event_type not in older_types(event.event_type):
                raise ContractError(
                    f"no upcaster turns {before.event_type} into {event.event_type}; write one beside it"
                )
            self._publish(before, version, org_id, successor=event.event_type)
        return self._publish(event, version, org_id)

    def _publish(self, event: Event, version: int, org_id: str | None, successor: str | None = None) -> str:
        scope = self._scope
        if event.owner() != scope.tools.service:
            raise ContractError(f"{scope.tools.service} may not publish {event.event_type}")
        data = _matching(event)
        event_id = scope.tools.ids.new()
        span = start_publish_span(event.event_type, event_id)
        envelope = Envelope(
            id=event_id,
            source=SOURCE_PREFIX + event.owner(),
            type=event.event_type,
            time=scope.now(),
            subject=event.subject(),
            dataschema=event.schema_path(),
            orgid=org_id or scope.event_org,
            actor=scope.actor.id,
            aggregateversion=version,
            correlationid=scope.cause.correlation_id,
            causationid=scope.cause.causation_id,
            successor=successor,
            traceparent=traceparent_of(span),
            clientip=scope.actor.client_ip,
            useragent=scope.actor.user_agent,
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
        """Commit, and keep with it the answer that a request makes of `result`, for when the request is repeated.

        Returns `result`. Raises as `commit` does, and Answered when an earlier try of the request has its answer.
        """
        keeper = self._claim.keeper if self._claim else None
        kept = keeper.values(result) if keeper is not None else None
        if kept is not None:
            put = self._operations[0]
            assert isinstance(put, Put)
            self._operations[0] = replace(put, item={**put.item, **kept, "version": ANSWERED})
        if not await self.commit():
            raise AlreadyHandled("This request was carried out already, and its answer is not kept.")
        if keeper is not None:
            keeper.done = kept is not None
        return result

    async def commit(self) -> bool:
        """True when it is done; False when an earlier try of the same request (by its Idempotency-Key) did it and kept
        no answer. Raises Answered if that one is kept, Invalid if the key was used for another request, AlreadyHandled
        when it is an event whose effect exists, the error of the first change whose condition does not hold, or
        Unavailable."""
        outbox = self._scope.tools.outbox
        operations = [*self._operations, *(outbox.operation(entry) for entry in self._entries)]
        try:
            if operations:
                await self._scope.table.write(operations)
        except ConditionRefused as refused:
            self._abandon()
            if self._claim and not self._claim.is_event and refused.positions[0] == 0:
                await refuse_answered(self._scope.table, self._claim)
                return False
            raise self._errors[refused.positions[0]] from None
        except BaseException:
            self._abandon()
            raise
        outbox.hand_over(self._entries)
        return True

    def _abandon(self) -> None:
        for entry in self._entries:
            entry.span.end()

    def _add(self, operation: Operation, error: TenfoldError) -> None:
        self._operations.append(operation)
        self._errors.append(error)


def _matching(event: Event) -> dict[str, Any]:
    """What goes on the bus. A model can be filled past its validation (`model_construct`, `model_copy`, a list that is
    appended to), so what it became is validated, not what it was made from. Raises ContractError."""
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
