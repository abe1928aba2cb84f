"""From the raw body of a queue message to the handler of its type, the same in a worker and in a Lambda."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from opentelemetry.trace import Span
from pydantic import BaseModel, ValidationError

from chassis.declare.subscription import AnyEvent, AnySubscription, ExternalSubscription, Subscription
from chassis.errors import AlreadyHandled, DeclarationError, Rejected, Retryable
from chassis.storage.keys import inbox_key
from chassis.telemetry.metrics import CONSUMER_LAG
from chassis.telemetry.tracing import consumer_span, mark_failed
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.idempotency_claims import IdempotencyClaim
from chassis.work.scope import EventContext, OrgScope
from contracts.event import REGISTRY, SOURCE_PREFIX, Envelope
from contracts.versions import upcast

log = structlog.get_logger(__name__)

CLAIM_DAYS = 30
"""Longer than a dead-letter queue keeps a message (14 days), so that a redrive still meets its claim."""

REPLAY_NAME = "replay-name"
"""The member that EventBridge adds to an event from an archive."""


@dataclass(frozen=True)
class Delivery:
    """One receipt of one message."""

    body: bytes
    message_id: str
    receive_count: int = 1
    queued_at: datetime | None = None


@dataclass(frozen=True)
class _Call:
    """A handler with its arguments."""

    handler: Callable[[Any, EventContext], Awaitable[None]]
    argument: BaseModel
    context: EventContext
    traceparent: str | None


class Dispatcher:
    """Handles the deliveries of one subscription.

    `handle` returns when the effect exists (new or from before), raises Rejected for a message that can never be
    handled and Retryable for one that may be handled later; any other exception is a bug of a handler.
    """

    def __init__(self, context: ServiceContext, subscription: AnySubscription) -> None:
        self._context, self._subscription = context, subscription
        self.consumer = f"{context.service}.{subscription.name}"
        self.max_receives = subscription.max_receives

    async def handle(self, delivery: Delivery) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(service=self._context.service, subscription=self._subscription.name)
        try:
            call = self._parse(delivery)
        except AlreadyHandled:
            return
        context = call.context
        structlog.contextvars.bind_contextvars(
            event_id=context.event_id, event_type=context.event_type, org=context.scope.org_id
        )
        attributes = {
            "messaging.system": "aws_sqs",
            "messaging.message.id": context.event_id,
            "tenfold.event_type": context.event_type,
            "tenfold.consumer": self.consumer,
            "tenfold.org": context.scope.org_id,
            "tenfold.receive_count": delivery.receive_count,
        }
        with consumer_span(f"process {self.consumer}", call.traceparent, attributes, delivery.queued_at) as span:
            await self._run(call, span)

    async def _run(self, call: _Call, span: Span) -> None:
        try:
            await call.handler(call.argument, call.context)
        except AlreadyHandled:
            span.set_attribute("tenfold.already_handled", True)
        except (Rejected, Retryable) as error:
            mark_failed(span, error.detail)
            raise
        lag = self._context.clock.now() - call.context.time
        CONSUMER_LAG.record(lag.total_seconds(), {"subscription": self.consumer})

    def _parse(self, delivery: Delivery) -> _Call:
        try:
            raw = json.loads(delivery.body)
        except (ValueError, RecursionError) as error:
            raise Rejected("The body is not JSON.") from error
        if not isinstance(raw, dict) or not isinstance(raw.get("detail"), dict):
            raise Rejected("The body is not an event of the bus.")
        if isinstance(self._subscription, ExternalSubscription):
            return self._aws_event(self._subscription, raw, delivery)
        return self._domain_event(self._subscription, raw, delivery)

    def _domain_event(self, subscription: Subscription, raw: dict[str, Any], delivery: Delivery) -> _Call:
        envelope = _validate(Envelope, raw["detail"], "envelope")
        owner = SOURCE_PREFIX + envelope.type.split(".", 1)[0]
        if raw.get("detail-type") != envelope.type or raw.get("source") != owner or envelope.source != owner:
            raise Rejected(f"{envelope.type} does not come from the service that owns it.")
        known = subscription.handlers.get(envelope.type)
        argument: BaseModel
        handler: Callable[[Any, EventContext], Awaitable[None]]
        if known is not None:
            model, handler = known
            argument = _validate(model, envelope.data, "data")
        elif (upcast_call := _upcast(subscription, envelope)) is not None:
            handler, argument = upcast_call
        elif subscription.any_handler is not None:
            handler, argument = subscription.any_handler, _any_event(envelope)
        else:
            raise Rejected(f"{subscription.name} has no handler for {envelope.type}.")
        context = EventContext(
            scope=self._scope(envelope, every=subscription.mode == "every", replayed=REPLAY_NAME in raw),
            event_id=envelope.id,
            event_type=envelope.type,
            subject=envelope.subject,
            version=envelope.aggregateversion,
            time=envelope.time if envelope.time.tzinfo else envelope.time.replace(tzinfo=UTC),
            receive_count=delivery.receive_count,
            causation_id=envelope.causationid,
        )
        return _Call(handler, argument, context, envelope.traceparent)

    def _scope(self, envelope: Envelope, *, every: bool, replayed: bool) -> OrgScope:
        actor = Actor(envelope.actor, client_ip=envelope.clientip, user_agent=envelope.useragent)
        claim = IdempotencyClaim(inbox_key(self.consumer, envelope.id), CLAIM_DAYS, is_event=True) if every else None
        cause = Cause(envelope.correlationid, causation_id=envelope.id, claim=claim, replayed=replayed)
        return OrgScope(self._context, actor, cause, envelope.orgid)

    def _aws_event(self, subscription: ExternalSubscription, raw: dict[str, Any], delivery: Delivery) -> _Call:
        if subscription.handler is None:
            raise DeclarationError(f"{subscription.name} has no handler")
        event = subscription.adapter(raw)
        claim = IdempotencyClaim(inbox_key(self.consumer, event.id), CLAIM_DAYS, is_event=True)
        cause = Cause(self._context.ids.new(), causation_id=None, claim=claim)
        context = EventContext(
            scope=OrgScope(self._context, Actor(), cause, event.org_id),
            event_id=event.id,
            event_type=subscription.detail_type,
            subject=event.id,
            version=0,
            time=self._context.clock.now(),
            receive_count=delivery.receive_count,
        )
        return _Call(subscription.handler, event.data, context, None)


M = TypeVar("M", bound=BaseModel)


def _validate(model: type[M], value: Any, where: str) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Rejected(f"{where}.{field}: {first['msg']}") from error


def _upcast(subscription: Subscription, envelope: Envelope) -> tuple[Callable[..., Awaitable[None]], BaseModel] | None:
    """The handler of a newer version, with its model read from this older one. None if no newer version has a handler.

    Raises AlreadyHandled for a fact that is also published in the newer version, which then counts.
    """
    handlers = subscription.handlers
    if envelope.successor in handlers:
        raise AlreadyHandled(f"{envelope.successor} is published beside it.")
    try:
        newer = upcast(envelope.type, envelope.data, handlers.__contains__)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Rejected(f"data: {envelope.type} cannot be read as a newer version: {error!r}") from error
    if newer is None:
        return None
    model, handler = handlers[newer[0]]
    return handler, _validate(model, newer[1], "data")


def _any_event(envelope: Envelope) -> AnyEvent:
    """The event without its secret fields. Of a type that this deployment does not know yet, all fields are left
    out."""
    contract = REGISTRY.get(envelope.type)
    if contract is None:
        return AnyEvent(type=envelope.type, data={})
    secret = contract.secret_fields()
    return AnyEvent(
        type=envelope.type, data={name: value for name, value in envelope.data.items() if name not in secret}
    )
