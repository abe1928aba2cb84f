"""The decorators `subscriber` and `publisher` of brokers and routers."""

from collections.abc import Sequence
from typing import Any

from faststream.middlewares import AckPolicy

from faststream_sqs._compat import EMPTY, CallsCollection, Registrator
from faststream_sqs.buffer import GroupOf
from faststream_sqs.config import (
    SQSBrokerConfig,
    SQSPublisherConfig,
    SQSPublisherSpecificationConfig,
    SQSSubscriberConfig,
    SQSSubscriberSpecificationConfig,
)
from faststream_sqs.envelopes import Envelope
from faststream_sqs.options import LONGEST_POLL, Consumption
from faststream_sqs.publisher import SQSPublisher
from faststream_sqs.schemas import Backoff, SQSQueue, as_queue
from faststream_sqs.specification import SQSPublisherSpecification, SQSSubscriberSpecification
from faststream_sqs.subscriber import SQSSubscriber

DEFAULT_BACKOFF = Backoff()


class SQSRegistrator(Registrator[Any, SQSBrokerConfig]):
    def subscriber(  # type: ignore[override]  # FastStream's base takes what this makes
        self,
        queue: SQSQueue | str,
        *,
        max_workers: int = 1,
        pollers: int = 1,
        prefetch: int | None = None,
        wait: int | None = None,
        heartbeat: bool = True,
        backoff: Backoff = DEFAULT_BACKOFF,
        linger: float = 0.02,
        fair_by: GroupOf | None = None,
        raw: bool = False,
        batch: bool = False,
        max_records: int = 10,
        envelope: Envelope | str | None = None,
        ack_policy: AckPolicy = EMPTY,
        no_reply: bool = False,
        dependencies: Sequence[Any] = (),
        parser: Any = None,
        decoder: Any = None,
        codec: Any = None,
        persistent: bool = True,
        title: str | None = None,
        description: str | None = None,
        include_in_schema: bool = True,
    ) -> SQSSubscriber:
        """Subscribes a handler to `queue`.

        At most `max_workers` handlers run at once; `pollers` long polls take `wait` seconds each (None: the queue's, or
        20); at most `prefetch` messages are held (None: enough to keep both busy). `heartbeat` extends the visibility
        of messages that are held. `linger` is the time in seconds that a delete waits for others to share its call.
        With `fair_by` (record to group) groups take turns among the messages that are held, whatever their share: give
        such a queue a larger `prefetch`. `raw` passes the SQSMessage itself as the only argument, without FastDepends.
        `batch` passes a list of up to `max_records` waiting messages; a redelivered message comes alone. `envelope`
        ("eventbridge", "sns") is removed before parsing. `ack_policy` defaults to NACK_ON_ERROR; a message without a
        decision is nacked with `backoff`.
        Raises ValueError for options that exclude each other or are out of range.
        """
        declared = as_queue(queue)
        if raw and (decoder is not None or codec is not None or dependencies):
            raise ValueError("a raw subscriber has no decoder, codec or dependencies: its handler takes the message")
        calls = CallsCollection[Any]()
        subscriber = SQSSubscriber(
            SQSSubscriberConfig(
                _outer_config=self.config,  # type: ignore[arg-type]  # the composition stands for the config
                _ack_policy=ack_policy,
                queue=declared,
                no_reply=no_reply,
                raw=raw,
                batch=batch,
                envelope=Envelope(envelope) if envelope is not None else None,
                consumption=Consumption(
                    max_workers=max_workers,
                    batch_size=max_records if batch else 1,
                    pollers=pollers,
                    prefetch=prefetch,
                    wait=next(value for value in (wait, declared.wait, LONGEST_POLL) if value is not None),
                    heartbeat=heartbeat,
                    linger=linger,
                    fair_by=fair_by,
                    backoff=backoff,
                ),
            ),
            SQSSubscriberSpecification(
                self.config,  # type: ignore[arg-type]  # the composition stands for the config
                SQSSubscriberSpecificationConfig(
                    queue=declared,
                    raw=raw,
                    title_=title,
                    description_=description,
                    include_in_schema=include_in_schema,
                ),
                calls,
            ),
            calls,
        )
        super().subscriber(subscriber, persistent=persistent)
        return subscriber.add_call(
            parser_=parser or self._parser,
            decoder_=None if raw else decoder or self._decoder,
            codec_=codec,
            dependencies_=dependencies,
        )

    def publisher(  # type: ignore[override]  # FastStream's base takes what this makes
        self,
        queue: SQSQueue | str,
        *,
        headers: dict[str, Any] | None = None,
        group: str | None = None,
        persistent: bool = True,
        title: str | None = None,
        description: str | None = None,
        schema: Any = None,
        include_in_schema: bool = True,
    ) -> SQSPublisher:
        """A publisher to `queue`; as a decorator, it publishes what the handler returns."""
        name = as_queue(queue).name
        publisher = SQSPublisher(
            SQSPublisherConfig(
                _outer_config=self.config,  # type: ignore[arg-type]  # the composition stands for the config
                queue=name,
                headers=headers or {},
                group=group,
            ),
            SQSPublisherSpecification(
                self.config,  # type: ignore[arg-type]  # the composition stands for the config
                SQSPublisherSpecificationConfig(
                    queue=name,
                    schema_=schema,
                    title_=title,
                    description_=description,
                    include_in_schema=include_in_schema,
                ),
            ),
        )
        super().publisher(publisher, persistent=persistent)
        return publisher

    def include_router(self, router: Any, **options: Any) -> None:
        """Adds a router's subscribers and publishers. Raises TypeError for another broker's router."""
        if not isinstance(router, SQSRegistrator):
            raise TypeError(f"an SQS broker includes SQS routers, not a {type(router).__name__}")
        super().include_router(router, **options)
