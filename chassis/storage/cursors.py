"""Cursors of lists: signed, so that they cannot be edited, or used for another list, filter or organization."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Protocol

from chassis.errors import FieldError, Invalid

MAC_BYTES = 16


class CursorKeys(Protocol):
    """The stage's keys for cursors, the newest first: the newest signs, and all of them are accepted."""

    async def keys(self) -> Sequence[bytes]:
        """Raises Unavailable."""

    async def newer(self) -> Sequence[bytes]:
        """The keys, read again if they may have been rotated since: for a cursor that no known key has signed."""


async def seal_cursor(keys: CursorKeys, context: str, position: str) -> str:
    """The cursor of `position` in a list. `context` names the list and everything that decides what is in it."""
    newest = (await keys.keys())[0]
    signed = _mac(newest, context, position) + position.encode()
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


async def open_cursor(keys: CursorKeys, context: str, cursor: str) -> str:
    """The position. Raises Invalid, alike for a cursor that was edited and for one of another list."""
    content = _decode(cursor)
    mac, position = content[:MAC_BYTES], content[MAC_BYTES:].decode(errors="replace")
    for known in (keys.keys, keys.newer):
        if any(hmac.compare_digest(mac, _mac(key, context, position)) for key in await known()):
            return position
    raise Invalid(
        "This cursor does not belong to this list. Start again without it.", [FieldError("query.cursor", "unknown")]
    )


def _mac(key: bytes, context: str, position: str) -> bytes:
    signed = json.dumps([context, position]).encode()  # keeps the two apart, whatever they contain
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_BYTES]


def _decode(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
