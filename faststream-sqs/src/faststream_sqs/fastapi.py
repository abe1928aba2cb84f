"""FastStream's FastAPI integration on SQS; needs `faststream-sqs[fastapi]`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi.datastructures import Default

from faststream_sqs._compat import EMPTY, ContextRepo, FastAPIContext, FastAPIStreamRouter
from faststream_sqs.broker import SQSBroker as Broker
from faststream_sqs.message import SQSBatchMessage as BatchMessage
from faststream_sqs.message import SQSMessage as Message
from faststream_sqs.publisher import SQSPublisher
from faststream_sqs.schemas import SQSQueue
from faststream_sqs.subscriber import SQSSubscriber

__all__ = ("Context", "SQSBatchMessage", "SQSBroker", "SQSMessage", "StreamRouter")

Context = FastAPIContext
SQSMessage = Annotated[Message, Context("message")]
SQSBatchMessage = Annotated[BatchMessage, Context("message")]
SQSBroker = Annotated[Broker, Context("broker")]

# FastAPI's routes take these, and stream routes pass them on
if TYPE_CHECKING:
    from fastapi import params


class StreamRouter(FastAPIStreamRouter[Any]):
    """An APIRouter with a broker's `subscriber` and `publisher`: FastAPI's `Depends` works in both, with one lifespan.

    Options that are not FastAPI's go to SQSBroker.
    """

    broker_class = Broker
    broker: Broker

    def __init__(
        self,
        client: Any = None,
        *,
        context: ContextRepo | None = None,
        description: str | None = None,
        schema_url: str | None = "/asyncapi",
        **options: Any,
    ) -> None:
        super().__init__(client, context=context, description=description, schema_url=schema_url, **options)

    def subscriber(  # type: ignore[override]  # FastStream's base takes what this makes
        self,
        queue: SQSQueue | str,
        *,
        dependencies: Sequence["params.Depends"] = (),
        response_model: Any = Default(None),
        response_model_include: Any = None,
        response_model_exclude: Any = None,
        response_model_by_alias: bool = True,
        response_model_exclude_unset: bool = False,
        response_model_exclude_defaults: bool = False,
        response_model_exclude_none: bool = False,
        **options: Any,
    ) -> SQSSubscriber:
        """Like the broker's, with FastAPI's `dependencies` and `response_model...`. Raises ValueError for `raw`."""
        if options.get("raw"):
            raise ValueError("a raw subscriber has no injection: subscribe it on router.broker")
        options.setdefault("parser", None)
        options.setdefault("ack_policy", EMPTY)
        subscriber: Any = super().subscriber(
            queue,  # type: ignore[arg-type]  # a queue, which is what our broker takes
            dependencies=dependencies,
            response_model=response_model,
            response_model_include=response_model_include,
            response_model_exclude=response_model_exclude,
            response_model_by_alias=response_model_by_alias,
            response_model_exclude_unset=response_model_exclude_unset,
            response_model_exclude_defaults=response_model_exclude_defaults,
            response_model_exclude_none=response_model_exclude_none,
            **options,
        )
        assert isinstance(subscriber, SQSSubscriber)
        return subscriber

    def publisher(self, queue: SQSQueue | str, **options: Any) -> SQSPublisher:  # type: ignore[override]  # as above
        """Like the broker's `publisher`."""
        return self.broker.publisher(queue, **options)
