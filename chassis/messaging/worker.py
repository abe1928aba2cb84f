"""The long-lived worker: one FastStream subscriber per subscription, on the SQS broker."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from faststream import AckPolicy
from faststream_sqs import Backoff, SQSBroker, SQSMessage, SQSQueue, SQSRecord

from awsjson import AwsError, AwsJson
from chassis.clock import Clock
from chassis.declare.delivery_policy import RETRY_BACKOFF, SETTLE_MARGIN_SECONDS
from chassis.declare.resource_names import Names
from chassis.declare.subscription import AnySubscription
from chassis.errors import Rejected, Retryable
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.resilience.deadline import deadline
from chassis.resilience.request_priority import RequestPriority
from chassis.resilience.retry import RetryPolicy, retry
from chassis.telemetry.metrics import DELIVERIES, QUEUE_AGE
from chassis.work.context import ServiceContext

log = structlog.get_logger(__name__)

PREFETCH_PER_WORKER = 32
"""Messages prefetched per handler that can run; organizations take turns among them. More would be fairer to an
organization behind a flood, but each message that a killed process held has used up one of its receives."""

ORGANIZATION = re.compile(r'"orgid"\s*:\s*"([^"\\]{1,64})"')

LONG_POLL_SECONDS = 10
"""Shorter than every visibility timeout: the poll of a killed process lives on at the queue for as long, and must have
ended when that process's messages become visible again, or it would swallow them once more."""
GAVE_UP = "gave up after"
BACKOFF = Backoff(base=RETRY_BACKOFF.base, cap=RETRY_BACKOFF.cap)
START_POLICY = RetryPolicy(tries=None, first=0.1, longest=5.0)
"""A process tries to start its consumers for as long as SQS does not answer."""


class Startable(Protocol):
    async def start(self) -> None:
        """Start everything or nothing. Raises AwsError."""


async def start_consuming(broker: Startable) -> None:
    """Start every subscriber. A process that comes up while SQS does not answer waits for it, as a running one does.

    Raises AwsError for an error that waiting cannot fix.
    """
    await retry(
        broker.start,
        START_POLICY,
        on=lambda error: isinstance(error, AwsError) and error.is_retryable,
        announce=lambda error: log.warning("consumers_not_started", reason=str(error)),
    )


def make_broker(
    context: ServiceContext,
    subscriptions: list[AnySubscription],
    names: Names,
    client: AwsJson,
    graceful_seconds: float,
    priority: RequestPriority | None = None,
) -> SQSBroker:
    """A broker that consumes every subscription of the service from its queue. Pass `priority` in a process that also
    serves requests."""
    broker = SQSBroker(client=client, graceful_timeout=graceful_seconds, logger=None)
    for subscription in subscriptions:
        queue = SQSQueue(
            names.queue(context.service, subscription.name),
            visibility=subscription.visibility,
            declare=False,
            dead_letter=names.dead_letters(context.service, subscription.name),
        )
        subscriber = broker.subscriber(
            queue,
            max_workers=subscription.concurrency,
            prefetch=subscription.concurrency * PREFETCH_PER_WORKER,
            fair_by=organization_of,
            wait=LONG_POLL_SECONDS,
            backoff=BACKOFF,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            raw=True,
        )
        dispatcher = Dispatcher(context, subscription)
        timed = TimeoutMiddleware(dispatcher, subscription.handling_seconds)
        counted = MetricsMiddleware(timed, dispatcher.consumer, context.clock)
        subscriber(acknowledge(PriorityMiddleware(counted, priority) if priority else counted))
    return broker


def organization_of(record: SQSRecord) -> str | None:
    """The organization of a message: its group, or else what a search in the unparsed body finds."""
    if record.group is not None:
        return record.group
    match = ORGANIZATION.search(record.body)
    return match.group(1) if match else None


class DeliveryHandler(Protocol):
    """A handler of deliveries: the Dispatcher, or a middleware around one."""

    max_receives: int

    async def handle(self, delivery: Delivery) -> None: ...


class TimeoutMiddleware:
    """Limits each delivery to `seconds`, and the calls that it makes to a little less; then it is tried again."""

    def __init__(self, dispatcher: DeliveryHandler, seconds: float) -> None:
        self._dispatcher, self._seconds, self.max_receives = dispatcher, seconds, dispatcher.max_receives

    async def handle(self, delivery: Delivery) -> None:
        try:
            async with asyncio.timeout(self._seconds) as limit:
                with deadline(self._seconds - SETTLE_MARGIN_SECONDS):
                    await self._dispatcher.handle(delivery)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise Retryable(f"The handler did not end in {self._seconds:g} s.") from error


class PriorityMiddleware:
    """Lets requests of the same process go first."""

    def __init__(self, dispatcher: DeliveryHandler, priority: RequestPriority) -> None:
        self._dispatcher, self._priority, self.max_receives = dispatcher, priority, dispatcher.max_receives

    async def handle(self, delivery: Delivery) -> None:
        async with self._priority.delivery():
            await self._dispatcher.handle(delivery)


class MetricsMiddleware:
    """Counts each delivery by its outcome, and measures how long it waited in its queue."""

    def __init__(self, dispatcher: DeliveryHandler, consumer: str, clock: Clock) -> None:
        self._dispatcher, self._clock, self.max_receives = dispatcher, clock, dispatcher.max_receives
        self._labels = {"subscription": consumer}
        self._by_outcome = {name: {**self._labels, "outcome": name} for name in ("handled", "rejected", "again", "bug")}

    async def handle(self, delivery: Delivery) -> None:
        if delivery.queued_at is not None:
            QUEUE_AGE.set((self._clock.now() - delivery.queued_at).total_seconds(), self._labels)
        outcome = "bug"
        try:
            await self._dispatcher.handle(delivery)
            outcome = "handled"
        except Rejected:
            outcome = "rejected"
            raise
        except Retryable:
            outcome = "again"
            raise
        finally:
            DELIVERIES.add(1, self._by_outcome[outcome])


def acknowledge(dispatcher: DeliveryHandler) -> Callable[[SQSMessage], Awaitable[None]]:
    """Acknowledge, give back or reject each message by the outcome of its delivery, which the type of the error
    decides.

    The last receive that the queue allows rejects the message whatever the error: SQS would move it to the dead-letter
    queue anyway, but only we know why. If a crash prevents that, SQS moves it, without a reason.
    """

    async def again(message: SQSMessage, why: str) -> None:
        if message.receive_count < dispatcher.max_receives:
            await message.nack()
        else:
            await message.reject(f"{GAVE_UP} {message.receive_count} receives: {why}")

    async def receive(message: SQSMessage) -> None:
        delivery = Delivery(message.body, message.message_id, message.receive_count, message.sent_at)
        try:
            await dispatcher.handle(delivery)
        except Rejected as error:
            log.warning("rejected", reason=error.detail, message_id=delivery.message_id)
            await message.reject(error.detail)
        except Retryable as error:
            log.info("try_again", reason=error.detail, receive_count=delivery.receive_count)
            await again(message, error.detail)
        except Exception as error:
            log.exception("handler_failed", receive_count=delivery.receive_count, message_id=delivery.message_id)
            await again(message, f"{type(error).__name__}: {error}")
        else:
            await message.ack()

    return receive
