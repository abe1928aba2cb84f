"""Encoding of bodies and headers for SQS, which carries text without control characters and ten attributes."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ATTRIBUTES = 10
CONTENT_TYPE, CORRELATION_ID, REPLY_TO = "content-type", "correlation_id", "reply_to"
ENCODING, PACKED_HEADERS = "fs-encoding", "fs-headers"
OWN = frozenset({CONTENT_TYPE, CORRELATION_ID, REPLY_TO, ENCODING, PACKED_HEADERS})
EMPTY_BODY = "-"
# SQS accepts what XML 1.0 accepts; a pattern of what it refuses compiles ten times faster
REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ATTRIBUTE_NAME = re.compile(r"(?!AWS\.|Amazon\.|\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", re.IGNORECASE)


@dataclass(slots=True)
class Meta:
    """The data that travels beside a body."""

    content_type: str | None = None
    correlation_id: str | None = None
    reply_to: str = ""
    encoding: str | None = None
    headers: dict[str, Any] = field(default_factory=dict)


def text_attribute(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def encode(body: bytes, meta: Meta) -> tuple[str, dict[str, Any]]:
    """SQS's MessageBody and MessageAttributes."""
    try:
        text, encoding = body.decode(), None
    except UnicodeDecodeError:
        text, encoding = "", "base64"
    if not body:
        text, encoding = EMPTY_BODY, "empty"
    elif encoding or REFUSED.search(text):
        text, encoding = base64.b64encode(body).decode(), "base64"
    own = {
        CONTENT_TYPE: meta.content_type,
        CORRELATION_ID: meta.correlation_id,
        REPLY_TO: meta.reply_to,
        ENCODING: encoding,
    }
    attributes = {name: text_attribute(value) for name, value in own.items() if value}
    headers = {name: value for name, value in meta.headers.items() if name not in OWN}
    fits = len(headers) <= MAX_ATTRIBUTES - len(attributes) and all(
        isinstance(value, str) and value and not REFUSED.search(value) and ATTRIBUTE_NAME.fullmatch(name)
        for name, value in headers.items()
    )
    if fits:
        attributes.update({name: text_attribute(value) for name, value in headers.items()})
    elif headers:
        attributes[PACKED_HEADERS] = text_attribute(json.dumps(headers, default=str))
    return text, attributes


def decode_body(text: str, encoding: str | None) -> bytes:
    """The bytes of a body. Text that only looks encoded is left as it is, for a handler or a policy to judge."""
    if encoding == "empty":
        return b""
    if encoding == "base64":
        try:
            return base64.b64decode(text)
        except ValueError:
            return text.encode(errors="surrogatepass")
    return text.encode(errors="surrogatepass")


def attribute_values(attributes: Mapping[str, Any]) -> dict[str, str | bytes]:
    """Message attributes as plain values."""
    return {
        name: attribute.get("BinaryValue") or b"" if (text := attribute.get("StringValue")) is None else str(text)
        for name, attribute in attributes.items()
    }


def read_meta(attributes: Mapping[str, Any]) -> Meta:
    """The data in MessageAttributes, whether this package or another sender wrote them."""
    values = attribute_values(attributes)
    headers: dict[str, Any] = {name: value for name, value in values.items() if name not in OWN}
    if packed := values.get(PACKED_HEADERS):
        try:
            unpacked = json.loads(packed)
        except (ValueError, RecursionError):
            unpacked = None
        headers |= unpacked if isinstance(unpacked, dict) else {PACKED_HEADERS: packed}
    content_type = values.get(CONTENT_TYPE)
    if content_type:
        headers[CONTENT_TYPE] = content_type
    return Meta(
        content_type=str(content_type) if content_type else None,
        correlation_id=str(values.get(CORRELATION_ID) or "") or None,
        reply_to=str(values.get(REPLY_TO) or ""),
        encoding=str(values.get(ENCODING) or "") or None,
        headers=headers,
    )
