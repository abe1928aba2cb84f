"""All uses of FastStream's internals, which may move within a minor version: one file to adapt."""

from typing import TYPE_CHECKING, Any

from faststream._internal.broker import BrokerUsecase
from faststream._internal.broker.registrator import Registrator
from faststream._internal.broker.router import ArgsContainer, BrokerRouter, SubscriberRoute
from faststream._internal.configs import (
    BrokerConfig,
    PublisherSpecificationConfig,
    PublisherUsecaseConfig,
    SubscriberSpecificationConfig,
    SubscriberUsecaseConfig,
)
from faststream._internal.constants import EMPTY
from faststream._internal.context.repository import ContextRepo
from faststream._internal.di import FastDependsConfig
from faststream._internal.endpoint.publisher import PublisherSpecification, PublisherUsecase
from faststream._internal.endpoint.publisher.fake import FakePublisher
from faststream._internal.endpoint.subscriber import SubscriberSpecification, SubscriberUsecase
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream._internal.endpoint.utils import ParserComposition, process_msg
from faststream._internal.logger import DefaultLoggerStorage, make_logger_state
from faststream._internal.logger.logging import get_broker_logger
from faststream._internal.parser import DefaultCodec
from faststream._internal.producer import ProducerProto
from faststream._internal.testing.broker import TestBroker, change_producer

if TYPE_CHECKING:
    from faststream._internal.fastapi.context import Context as FastAPIContext
    from faststream._internal.fastapi.router import StreamRouter as FastAPIStreamRouter

__all__ = (
    "EMPTY",
    "ArgsContainer",
    "BrokerConfig",
    "BrokerRouter",
    "BrokerUsecase",
    "CallsCollection",
    "ContextRepo",
    "DefaultCodec",
    "DefaultLoggerStorage",
    "FakePublisher",
    "FastAPIContext",
    "FastAPIStreamRouter",
    "FastDependsConfig",
    "ParserComposition",
    "ProducerProto",
    "PublisherSpecification",
    "PublisherSpecificationConfig",
    "PublisherUsecase",
    "PublisherUsecaseConfig",
    "Registrator",
    "SubscriberRoute",
    "SubscriberSpecification",
    "SubscriberSpecificationConfig",
    "SubscriberUsecase",
    "SubscriberUsecaseConfig",
    "TestBroker",
    "change_producer",
    "get_broker_logger",
    "make_logger_state",
    "process_msg",
)


def __getattr__(name: str) -> Any:
    # FastAPI is an extra: FastStream's support for it is imported only when it is used
    if name == "FastAPIStreamRouter":
        from faststream._internal.fastapi.router import StreamRouter  # noqa: PLC0415

        return StreamRouter
    if name == "FastAPIContext":
        from faststream._internal.fastapi.context import Context  # noqa: PLC0415

        return Context
    raise AttributeError(name)
