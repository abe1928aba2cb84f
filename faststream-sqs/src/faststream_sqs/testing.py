"""The test broker: the same parsing, pipeline and decisions, in memory."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from faststream.exceptions import SubscriberNotFound

from faststream_sqs._compat import TestBroker, change_producer
from faststream_sqs.broker import SQSBroker
from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.encoding import text_attribute
from faststream_sqs.producer import SQSProducer
from faststream_sqs.publisher import SQSPublisher
from faststream_sqs.record import Outcome, SQSRecord
from faststream_sqs.schemas import name_of
from faststream_sqs.subscriber import SQSSubscriber
from faststream_sqs.transport import SQSCalls


@dataclass(frozen=True, slots=True)
class Settlement:
    """The decision about one delivery. A nack's `delay` is None if the backoff decides.

    RELEASED: the handler made no decision, which a queue treats as a nack.
    """

    record: SQSRecord
    outcome: Outcome
    delay: float | None = None
    reason: str = ""


class SettlementLog:
    """A Settler that records the decisions."""

    def __init__(self) -> None:
        self.entries: list[Settlement] = []

    async def ack(self, record: SQSRecord) -> None:
        self.entries.append(Settlement(record, Outcome.ACKED))

    async def nack(self, record: SQSRecord, delay: float | None) -> None:
        self.entries.append(Settlement(record, Outcome.NACKED, delay=delay))

    async def reject(self, record: SQSRecord, reason: str) -> None:
        self.entries.append(Settlement(record, Outcome.REJECTED, reason=reason))

    def close(self, record: SQSRecord) -> Settlement:
        """The decision about `record`; RELEASED if there is none."""
        if record.decide(Outcome.RELEASED):
            self.entries.append(Settlement(record, Outcome.RELEASED))
        return next(entry for entry in reversed(self.entries) if entry.record is record)


class NoNetwork:
    """A transport that fails every call, for a broker that must not reach SQS."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        raise AssertionError(f"a test broker called {service}.{operation}({params}, timeout={timeout})")


class TestSQSBroker(TestBroker[SQSBroker], broker=SQSBroker):
    """A broker in memory. `publish` runs the handlers and raises their errors; `deliver` settles as a queue would.

    `settlements` has all decisions in order. There is no automatic retry: a test calls `redeliver`.
    """

    __test__ = False

    def __init__(self, *brokers: SQSBroker, with_real: bool = False, connect_only: bool | None = None) -> None:
        super().__init__(*brokers, with_real=with_real, connect_only=connect_only)
        self._log = SettlementLog()

    @property
    def settlements(self) -> list[Settlement]:
        return self._log.entries

    async def deliver(
        self,
        body: str | bytes,
        queue: str,
        *,
        message_id: str | None = None,
        receive_count: int = 1,
        group: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Settlement:
        """Delivers a body to the queue's subscriber. Raises SubscriberNotFound."""
        record = self._record(body, queue, message_id, receive_count, group, attributes)
        return (await self._consume([record]))[0]

    async def deliver_batch(self, bodies: Iterable[str | bytes], queue: str) -> list[Settlement]:
        """Delivers several bodies to the queue's batch subscriber in one call. Raises SubscriberNotFound."""
        return await self._consume([self._record(body, queue, None, 1, None, None) for body in bodies])

    def _record(
        self,
        body: str | bytes,
        queue: str,
        message_id: str | None,
        receive_count: int,
        group: str | None,
        attributes: Mapping[str, str] | None,
    ) -> SQSRecord:
        system = {"ApproximateReceiveCount": str(receive_count)} | ({"MessageGroupId": group} if group else {})
        return SQSRecord(
            name_of(queue),
            body.decode() if isinstance(body, bytes) else body,
            message_id or str(uuid4()),
            str(uuid4()),
            system,
            {name: text_attribute(value) for name, value in (attributes or {}).items()},
            self._log,
        )

    async def redeliver(self, settlement: Settlement) -> Settlement:
        """Delivers the message of an earlier delivery again, with its receive count one higher."""
        old = settlement.record
        system = {**old.attributes, "ApproximateReceiveCount": str(old.receive_count + 1)}
        again = SQSRecord(old.queue, old.body, old.message_id, str(uuid4()), system, old.message_attributes, self._log)
        return (await self._consume([again]))[0]

    async def _consume(self, records: list[SQSRecord]) -> list[Settlement]:
        for subscriber in subscribers_of(self.brokers, records[0].queue):
            await subscriber.consume_records(records)
            return [self._log.close(record) for record in records]
        raise SubscriberNotFound(f"no subscriber of {records[0].queue!r}")

    def create_publisher_fake_subscriber(
        self, broker: SQSBroker, publisher: SQSPublisher
    ) -> tuple[SQSSubscriber, bool]:
        for subscriber in subscribers_of(self.brokers, publisher.queue):
            return subscriber, True
        return broker.subscriber(publisher.queue, persistent=False), False

    @contextmanager
    def _patch_producer(self, broker: SQSBroker) -> Generator[None, None, None]:
        with change_producer(broker.config.broker_config, MemoryProducer(broker, self.brokers, self._log)):
            yield

    async def _fake_connect(self, broker: SQSBroker, *_: Any, **__: Any) -> SQSCalls:  # type: ignore[override]
        calls = broker.config.broker_config.calls = SQSCalls(NoNetwork())
        return calls


def subscribers_of(brokers: tuple[SQSBroker, ...], queue: str) -> list[SQSSubscriber]:
    """The subscribers of a queue."""
    subscribers = [subscriber for broker in brokers for subscriber in broker.subscribers]
    return [s for s in subscribers if isinstance(s, SQSSubscriber) and name_of(s.queue) == name_of(queue)]


class MemoryProducer(SQSProducer):
    """A producer that passes published messages to the queue's subscribers at once."""

    def __init__(self, broker: SQSBroker, brokers: tuple[SQSBroker, ...], log: SettlementLog) -> None:
        config = broker.config.broker_config
        super().__init__(config.broker_parser, config.broker_decoder)
        self.connect(config)
        self._brokers = brokers
        self._log = log

    async def publish(self, cmd: SQSPublishCommand) -> str:
        return (await self._hand_over([cmd.body], cmd))[0]

    async def publish_batch(self, cmd: SQSPublishCommand) -> list[str]:
        return await self._hand_over(list(cmd.batch_bodies), cmd)

    async def _hand_over(self, bodies: list[Any], cmd: SQSPublishCommand) -> list[str]:
        entries = [await self.entry(body, cmd) for body in bodies]
        ids = [str(uuid4()) for _ in entries]
        for subscriber in subscribers_of(self._brokers, cmd.destination):
            size = subscriber.consumption.batch_size
            for start in range(0, len(ids), size):
                records = []
                for message_id, entry in zip(ids[start : start + size], entries[start : start + size], strict=True):
                    system = {"ApproximateReceiveCount": "1"}
                    if group := entry.get("MessageGroupId"):
                        system["MessageGroupId"] = group
                    attributes = entry.get("MessageAttributes") or {}
                    queue, body, receipt = name_of(cmd.destination), entry["MessageBody"], str(uuid4())
                    records.append(SQSRecord(queue, body, message_id, receipt, system, attributes, self._log))
                try:
                    await subscriber.process_message(subscriber.pipeline_message(records))
                finally:
                    for record in records:
                        self._log.close(record)
        return ids
