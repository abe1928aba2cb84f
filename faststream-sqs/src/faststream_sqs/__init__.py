"""The SQS broker for FastStream."""

from typing import TYPE_CHECKING, Any

from faststream_sqs.broker import SQSBroker
from faststream_sqs.envelopes import Envelope, NotAnEnvelope
from faststream_sqs.errors import FailedEntry, PublishFailed, QueueConflict, QueueNotFound
from faststream_sqs.message import SQSBatchMessage, SQSMessage
from faststream_sqs.publisher import SQSPublisher
from faststream_sqs.record import Outcome, Settler, SQSRecord
from faststream_sqs.response import SQSResponse
from faststream_sqs.router import SQSRoute, SQSRoutePublisher, SQSRouter
from faststream_sqs.schemas import Backoff, SQSQueue
from faststream_sqs.subscriber import SQSSubscriber
from faststream_sqs.testing import Settlement, TestSQSBroker
from faststream_sqs.transport import Transport

if TYPE_CHECKING:
    from faststream_sqs.aws_lambda import LambdaHandler, NotAnSQSEvent, lambda_handler

__all__ = (
    "Backoff",
    "Envelope",
    "FailedEntry",
    "LambdaHandler",
    "NotAnEnvelope",
    "NotAnSQSEvent",
    "Outcome",
    "PublishFailed",
    "QueueConflict",
    "QueueNotFound",
    "SQSBatchMessage",
    "SQSBroker",
    "SQSMessage",
    "SQSPublisher",
    "SQSQueue",
    "SQSRecord",
    "SQSResponse",
    "SQSRoute",
    "SQSRoutePublisher",
    "SQSRouter",
    "SQSSubscriber",
    "Settlement",
    "Settler",
    "TestSQSBroker",
    "Transport",
    "lambda_handler",
)


def __getattr__(name: str) -> Any:
    # a worker does not need the Lambda side, and its start should be fast
    if name in ("LambdaHandler", "NotAnSQSEvent", "lambda_handler"):
        from faststream_sqs import aws_lambda  # noqa: PLC0415

        return getattr(aws_lambda, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
