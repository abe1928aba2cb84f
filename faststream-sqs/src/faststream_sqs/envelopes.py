"""Envelopes: removes what EventBridge and SNS wrap around a message."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

from faststream.exceptions import FastStreamException

from faststream_sqs.encoding import decode_body, read_meta, text_attribute
from faststream_sqs.message import JSON, SQSBatchMessage, SQSMessage, guess_content_type

Parse = Callable[[Any], Awaitable[Any]]


class Envelope(Enum):
    """The service that wrapped the messages of a queue."""

    EVENTBRIDGE = "eventbridge"
    SNS = "sns"


class NotAnEnvelope(FastStreamException):
    """A body is not the envelope that the subscriber expects; its policy settles the message."""

    def __init__(self, envelope: Envelope, reason: str) -> None:
        super().__init__(f"the body is not an envelope of {envelope.value}: {reason}")
        self.envelope = envelope


def unwrapping_parser(parse: Parse, envelope: Envelope) -> Parse:
    """A parser that calls `parse` and unwraps the message, or each message of a batch."""

    async def parse_and_unwrap(raw: Any) -> Any:
        message = await parse(raw)
        if isinstance(message, SQSBatchMessage):
            for part in message.messages:
                unwrap(part, envelope)
            return SQSBatchMessage(message.messages)
        unwrap(message, envelope)
        return message

    return parse_and_unwrap


def unwrap(message: SQSMessage, envelope: Envelope) -> None:
    """Replaces body, headers and content type by the content of the envelope. Raises NotAnEnvelope."""
    try:
        outer = json.loads(message.body)
    except (ValueError, RecursionError) as error:
        raise NotAnEnvelope(envelope, "it is not JSON") from error
    if not isinstance(outer, dict):
        raise NotAnEnvelope(envelope, "it is not an object")
    if envelope is Envelope.EVENTBRIDGE:
        _unwrap_event(message, outer)
    else:
        _unwrap_notification(message, outer)


def _unwrap_event(message: SQSMessage, outer: dict[str, Any]) -> None:
    if "detail" not in outer or not isinstance(outer.get("detail-type"), str):
        raise NotAnEnvelope(Envelope.EVENTBRIDGE, "it has no detail and detail-type")
    message.body = json.dumps(outer.pop("detail"), ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass"
    )
    message.content_type = JSON
    message.envelope = outer
    fields = {name: outer[name] for name in ("detail-type", "source", "time") if isinstance(outer.get(name), str)}
    message.headers = {**message.headers, **fields}


def _unwrap_notification(message: SQSMessage, outer: dict[str, Any]) -> None:
    inner = outer.pop("Message", None)
    if not isinstance(inner, str) or "TopicArn" not in outer:
        raise NotAnEnvelope(Envelope.SNS, "it has no Message and TopicArn; is raw message delivery on?")
    attributes = outer.get("MessageAttributes")
    if not isinstance(attributes, Mapping):
        attributes = {}
    meta = read_meta({name: _attribute(value) for name, value in attributes.items() if isinstance(value, Mapping)})
    message.body = decode_body(inner, meta.encoding)
    message.content_type = meta.content_type or guess_content_type(message.body)
    message.correlation_id = meta.correlation_id or message.correlation_id
    message.reply_to = meta.reply_to or message.reply_to
    message.envelope = outer
    fields = {"sns-topic": outer["TopicArn"], "sns-subject": outer.get("Subject")}
    message.headers = {**message.headers, **{k: v for k, v in fields.items() if isinstance(v, str)}, **meta.headers}


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """An SNS message attribute in SQS's format."""
    text = str(value.get("Value", ""))
    if value.get("Type") != "Binary":
        return text_attribute(text)
    try:
        return {"DataType": "Binary", "BinaryValue": base64.b64decode(text)}
    except ValueError:
        return text_attribute(text)
