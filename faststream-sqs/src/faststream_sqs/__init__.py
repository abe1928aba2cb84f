"""The SQS broker for FastStream."""

from faststream_sqs.aws_lambda import LambdaHandler, NotAnSQSEvent, lambda_handler
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
