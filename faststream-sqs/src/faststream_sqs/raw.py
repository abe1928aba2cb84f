"""The short path of raw subscribers: parse, call, settle. It decides as FastStream's pipeline does, but costs less."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faststream.exceptions import AckMessage, HandlerException, IgnoredException, NackMessage, RejectMessage
from faststream.middlewares import AckPolicy

from faststream_sqs.message import SQSBatchMessage, SQSMessage

AnyMessage = SQSMessage | SQSBatchMessage
Call = Callable[[Any], Awaitable[Any]]
ReportError = Callable[[AnyMessage, Exception], None]


async def handle_raw(message: AnyMessage, call: Call, policy: AckPolicy, report: ReportError) -> Any:
    """Runs the handler and settles the message by its result. Raises the handler's error, unless it is a decision."""
    if policy is AckPolicy.ACK_FIRST:
        await message.ack()
    try:
        result = await call(message)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if not isinstance(error, IgnoredException):
            report(message, error)
        if await settle_error(message, error, policy):
            return None
        raise
    if policy is not AckPolicy.MANUAL:
        await message.ack()
    return result


async def settle_error(message: AnyMessage, error: Exception, policy: AckPolicy) -> bool:
    """Settles a message whose handler raised `error`. True if the error is a decision and must not be raised."""
    if policy in (AckPolicy.MANUAL, AckPolicy.ACK_FIRST):
        return False
    if isinstance(error, AckMessage):
        await message.ack(**error.extra_options)
    elif isinstance(error, NackMessage):
        await message.nack(**error.extra_options)
    elif isinstance(error, RejectMessage):
        await message.reject(**error.extra_options)
    elif isinstance(error, HandlerException):
        return True  # the decision to decide nothing (SkipMessage)
    elif policy is AckPolicy.REJECT_ON_ERROR:
        await message.reject()
    elif policy is AckPolicy.NACK_ON_ERROR:
        await message.nack()
    else:
        await message.ack()
    return isinstance(error, HandlerException)
