"""Cursors of lists: signed, so that none can be edited, or used for another list, filter or organization."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Protocol

from chassis.errors import FieldError, Invalid

MAC_BYTES = 16


class CursorKeys(Protocol):
    """The stage's keys for cursors, the newest first: it signs, and each of them is accepted."""

    async def keys(self) -> Sequence[bytes]:
        """Raises Unavailable."""

    async def newer(self) -> Sequence[bytes]:
        """The keys, read again if they may have been rotated since. For a cursor that none of them has signed."""


async def sealed(keys: CursorKeys, place: str, position: str) -> str:
    """The cursor of `position` in the list that `place` names, with all that decides what is in it."""
    newest = (await keys.keys())[0]
    return _encoded(_mac(newest, place, position) + position.encode())


async def opened(keys: CursorKeys, place: str, cursor: str) -> str:
    """The position. Raises Invalid, the same for a cursor that was edited and for one of another list."""
    content = _decoded(cursor)
    mac, position = content[:MAC_BYTES], content[MAC_BYTES:].decode(errors="replace")
    for known in (keys.keys, keys.newer):
        if any(hmac.compare_digest(mac, _mac(key, place, position)) for key in await known()):
            return position
    raise Invalid(
        "This cursor does not belong to this list. Start again without it.", [FieldError("query.cursor", "unknown")]
    )


def _mac(key: bytes, place: str, position: str) -> bytes:
    signed = json.dumps([place, position]).encode()  # which keeps the two apart, whatever stands in them
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_BYTES]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
