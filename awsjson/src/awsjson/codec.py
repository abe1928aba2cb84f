"""Blobs and timestamps: bytes and datetimes outside, base64 and epoch seconds on the wire."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson
from botocore.utils import parse_timestamp


def encode(params: Mapping[str, Any], *, iso_times: bool = False) -> bytes:
    """The request's body; `iso_times` is for operations that take timestamps as text.

    Raises TypeError for a value that JSON cannot carry, and for None, which AWS does not accept.
    """

    def encode_value(value: object) -> object:
        if isinstance(value, bytes | bytearray | memoryview):
            return base64.b64encode(value).decode()
        if not isinstance(value, datetime):
            raise TypeError(f"AWS parameters cannot carry a {type(value).__name__}")
        # a datetime without a zone is taken as UTC, as botocore does for the services of this protocol
        time = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if iso_times:
            return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if time.microsecond else "%Y-%m-%dT%H:%M:%SZ")
        seconds = time.timestamp()
        return int(seconds) if seconds.is_integer() else seconds

    body = orjson.dumps(params, default=encode_value, option=orjson.OPT_PASSTHROUGH_DATETIME)
    if b"null" in body:
        # None, but also the floats that JSON cannot express, and every text that contains the word
        _refuse_null(params, "parameters")
    return body


def _refuse_null(value: object, where: str) -> None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError(f"AWS parameters cannot carry {value} ({where})")
    if isinstance(value, Mapping):
        for key, part in value.items():
            _refuse_null(part, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            _refuse_null(part, f"{where}[{number}]")


class Kind(Enum):
    BLOB = "blob"
    TIMESTAMP = "timestamp"
    STRUCTURE = "structure"
    LIST = "list"
    MAP = "map"


@dataclass(slots=True)
class Node:
    """The path through an answer to its blobs and timestamps; nothing else is touched."""

    kind: Kind
    members: dict[str, "Node"] = field(default_factory=dict)
    item: "Node | None" = None


def decode(node: Node, value: Any) -> Any:
    """`value` with its blobs as bytes and its timestamps as datetimes; containers are changed in place."""
    match node.kind:
        case Kind.STRUCTURE:
            for name, member in node.members.items():
                part = value.get(name)
                if part is not None:
                    value[name] = decode(member, part)
        case Kind.MAP if node.item is not None:
            for key, part in value.items():
                value[key] = decode(node.item, part)
        case Kind.LIST if node.item is not None:
            return [decode(node.item, part) for part in value]
        case Kind.BLOB:
            return base64.b64decode(value)
        case Kind.TIMESTAMP:
            return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else parse_timestamp(value)
    return value
