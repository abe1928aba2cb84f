"""A key service in memory."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import count

from chassis.errors import Unavailable
from chassis.tenants.vault import NONCE_BYTES, SecretUnreadable


class FakeKeys:
    """Refuses other contexts as KMS does. While `down`, it answers nothing."""

    def __init__(self) -> None:
        self.down = False
        self._made: dict[bytes, tuple[bytes, dict[str, str]]] = {}
        self._nonces = count(1)

    async def make(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        self._answer()
        number = len(self._made) + 1
        plain, wrapped = sha256(f"key {number}".encode()).digest(), f"wrapped {number}".encode()
        self._made[wrapped] = plain, dict(context)
        return plain, wrapped

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        self._answer()
        plain, made_for = self._made.get(wrapped, (b"", {}))
        if made_for != dict(context) or not plain:
            raise SecretUnreadable("Another context.")
        return plain

    def nonce(self) -> bytes:
        return next(self._nonces).to_bytes(NONCE_BYTES)

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("The keys can't be had now.")
