"""Annotations with which a handler asks for the message, the broker or the logger."""

from typing import Annotated

from faststream import Context
from faststream.annotations import ContextRepo, Logger
from faststream.params import NoCast

from faststream_sqs.broker import SQSBroker as _Broker
from faststream_sqs.message import SQSBatchMessage as _BatchMessage
from faststream_sqs.message import SQSMessage as _Message

__all__ = ("ContextRepo", "Logger", "NoCast", "SQSBatchMessage", "SQSBroker", "SQSMessage")

SQSMessage = Annotated[_Message, Context("message")]
SQSBatchMessage = Annotated[_BatchMessage, Context("message")]
SQSBroker = Annotated[_Broker, Context("broker")]
