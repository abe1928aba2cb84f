"""The short way of raw subscribers: parse, call, settle. Same decisions as FastStream's pipeline, cheaper."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faststream.exceptions import AckMessage, HandlerException, IgnoredException, NackMessage, RejectMessage
from faststream.middlewares import AckPolicy

from faststream_sqs.message import SQSBatchMessage, SQSMessage

AnyMessage = SQSMessage | SQSBatchMessage
Call = Callable[[Any], Awaitable[Any]]
TellError = Callable[[AnyMessage, Exception], None]


async def handle_raw(message: AnyMessage, call: Call, policy: AckPolicy, tell: TellError) -> Any:
    """Runs the handler and settles by how it ended. Raises what it raised, unless that was the decision."""
    if policy is AckPolicy.ACK_FIRST:
        await message.ack()
    try:
        result = await call(message)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if not isinstance(error, IgnoredException):
            tell(message, error)
        if await settle_error(message, error, policy):
            return None
        raise
    if policy is not AckPolicy.MANUAL:
        await message.ack()
    return result


async def settle_error(message: AnyMessage, error: Exception, policy: AckPolicy) -> bool:
    """Whether the error was a decision, and so no error."""
    if policy in (AckPolicy.MANUAL, AckPolicy.ACK_FIRST):
        return False
    if isinstance(error, HandlerException):
        await _settle_decision(message, error)
        return True
    if policy is AckPolicy.REJECT_ON_ERROR:
        await message.reject()
    elif policy is AckPolicy.NACK_ON_ERROR:
        await message.nack()
    else:
        await message.ack()
    return False


async def _settle_decision(message: AnyMessage, decision: HandlerException) -> None:
    if isinstance(decision, AckMessage):
        await message.ack(**decision.extra_options)
    elif isinstance(decision, NackMessage):
        await message.nack(**decision.extra_options)
    elif isinstance(decision, RejectMessage):
        await message.reject(**decision.extra_options)
