"""Cursors of lists: signed, so that none can be edited, or used for another list, filter or organization."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.clock import Clock
from chassis.errors import FieldError, Invalid, Unavailable

MAC_BYTES = 16
TIMEOUT = 5.0
REREAD_PAUSE = timedelta(minutes=1)
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
NO_SUCH = "ResourceNotFoundException"


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
    raise Invalid("The cursor is none of this list; start again without it.", [FieldError("query.cursor", "unknown")])


class SecretCursorKeys:
    """The keys in a secret of Secrets Manager, read at first need: its current version, and the one before it."""

    def __init__(self, calls: AwsCalls, secret: str, clock: Clock) -> None:
        self._calls, self._secret, self._clock = calls, secret, clock
        self._keys: tuple[bytes, ...] = ()
        self._read_at: datetime | None = None

    async def keys(self) -> Sequence[bytes]:
        return self._keys or await self._read()

    async def newer(self) -> Sequence[bytes]:
        if self._read_at is not None and self._clock.now() - self._read_at < REREAD_PAUSE:
            return self._keys
        return await self._read()

    async def _read(self) -> Sequence[bytes]:
        found = [await self._version(CURRENT), await self._version(PREVIOUS)]
        self._keys, self._read_at = tuple(key for key in found if key is not None), self._clock.now()
        if not self._keys:
            raise Unavailable(f"The secret {self._secret} is missing; deploy the platform's stack.")
        return self._keys

    async def _version(self, stage: str) -> bytes | None:
        asked = {"SecretId": self._secret, "VersionStage": stage}
        try:
            answer = await self._calls.call("secretsmanager", "GetSecretValue", asked, timeout=TIMEOUT)
        except AwsError as error:
            if error.code == NO_SUCH:
                return None
            raise Unavailable("The key of cursors can't be read; try again.") from error
        return str(answer["SecretString"]).encode()


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
