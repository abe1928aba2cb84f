"""Routers: groups of subscribers and publishers that a broker includes."""

from collections.abc import Iterable, Sequence
from typing import Any

from faststream.middlewares import AckPolicy

from faststream_sqs._compat import EMPTY, ArgsContainer, BrokerRouter, SubscriberRoute
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.registrator import SQSRegistrator


class SQSRoutePublisher(ArgsContainer):
    """Arguments of `publisher(...)`, for a route."""


class SQSRoute(SubscriberRoute):
    """A handler with the arguments of `subscriber(...)`."""


class SQSRouter(SQSRegistrator, BrokerRouter[Any, SQSBrokerConfig]):
    """A group of subscribers and publishers, with a prefix for the names of their queues."""

    def __init__(
        self,
        prefix: str = "",
        handlers: Iterable[SQSRoute] = (),
        *,
        dependencies: Sequence[Any] = (),
        middlewares: Sequence[Any] = (),
        routers: Iterable[SQSRegistrator] = (),
        parser: Any = None,
        decoder: Any = None,
        ack_policy: AckPolicy = EMPTY,
        include_in_schema: bool | None = None,
    ) -> None:
        super().__init__(
            handlers=handlers,
            routers=routers,
            config=SQSBrokerConfig(
                prefix=prefix,
                ack_policy=ack_policy,
                broker_dependencies=dependencies,
                broker_middlewares=middlewares,
                broker_parser=parser,
                broker_decoder=decoder,
                include_in_schema=include_in_schema,
            ),
        )
