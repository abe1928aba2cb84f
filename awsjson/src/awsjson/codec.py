"""Blobs and timestamps: bytes and datetimes outside, base64 and epoch seconds on the wire."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson
from botocore.utils import parse_timestamp


def encode(params: Mapping[str, Any]) -> bytes:
    """The request's body. Raises TypeError for a value that JSON cannot carry."""
    return orjson.dumps(params, default=_encode_value, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _encode_value(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return _epoch(value)
    raise TypeError(f"AWS parameters cannot carry a {type(value).__name__}")


def _epoch(value: datetime) -> float | int:
    # a datetime without a zone is taken as UTC here, as botocore does for the services of this protocol
    seconds = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return int(seconds) if seconds.is_integer() else seconds


class Kind(Enum):
    BLOB = "blob"
    TIMESTAMP = "timestamp"
    STRUCTURE = "structure"
    LIST = "list"
    MAP = "map"


@dataclass(slots=True)
class Node:
    """The way through an answer to its blobs and timestamps; nothing else is touched."""

    kind: Kind
    members: dict[str, "Node"] = field(default_factory=dict)
    item: "Node | None" = None


def decode(node: Node, value: Any) -> Any:
    """`value` with its blobs as bytes and its timestamps as datetimes; containers are changed in place."""
    match node.kind:
        case Kind.STRUCTURE:
            for name, member in node.members.items():
                found = value.get(name)
                if found is not None:
                    value[name] = decode(member, found)
        case Kind.MAP if node.item is not None:
            for key, found in value.items():
                value[key] = decode(node.item, found)
        case Kind.LIST if node.item is not None:
            return [decode(node.item, found) for found in value]
        case Kind.BLOB:
            return base64.b64decode(value)
        case Kind.TIMESTAMP:
            return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else parse_timestamp(value)
    return value
