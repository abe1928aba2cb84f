"""The vault: envelope encryption of an organization's secrets, such as its password for another platform.

A data key per organization and purpose encrypts the secrets (AES-256-GCM, NIST SP 800-38D), whatever their size. KMS
encrypts the data key and binds it to the organization and the purpose by its encryption context. The stored text is
useless without KMS, and in another organization's scope it is useless with KMS, too.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel

from chassis.errors import AlreadyExists, Conflict, Stale, TenfoldError, TooLarge
from chassis.work.repository import Aggregate, Repository
from chassis.work.scope import OrgScope

ORG, PURPOSE = "tenfold:org", "tenfold:purpose"
"""The names in the encryption context of a data key."""

NONCE_BYTES = 12
MAX_SECRET_BYTES = 64 * 1024
MAX_DATA_KEYS = 500
"""Generations of one purpose: they are in one item of at most 400 KB, with some 300 bytes each."""
DATA_KEY_LASTS = timedelta(days=90)


class SecretUnreadable(TenfoldError):
    """The text was sealed for another organization, purpose or name, or it was altered."""


class KeyService(Protocol):
    """The port to a key service, which makes and opens data keys under a master key that never leaves it. Raises
    Unavailable when it does not answer."""

    async def make(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        """A new data key of 256 bits, plain and wrapped."""

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """The plain data key. Raises SecretUnreadable unless `context` is the one it was made with."""

    def nonce(self) -> bytes:
        """NONCE_BYTES that were never used before."""


class DataKey(BaseModel):
    wrapped: str
    made_at: datetime


class DataKeys(Aggregate):
    """All data keys of one purpose, the oldest first; `id` is the purpose. The newest seals, and each of them opens."""

    keys: tuple[DataKey, ...]


class _DataKeyRepository(Repository[DataKeys]):
    kind = "DATAKEYS"
    model = DataKeys


class Vault:
    """Seals and opens secrets of the scope's organization for one purpose.

    A sealed text names the generation of its data key, so that keys can rotate while older texts stay readable.
    """

    def __init__(self, scope: OrgScope, purpose: str) -> None:
        self._scope, self._purpose = scope, purpose
        self._service: KeyService = scope.port(KeyService)
        self._context = {ORG: scope.org_id, PURPOSE: purpose}

    async def seal(self, name: str, secret: bytes) -> str:
        """The text to store. It opens only under the same `name`, so that two stored texts cannot be swapped.

        Raises TooLarge above MAX_SECRET_BYTES, Unavailable when KMS or the table does not answer.
        """
        if len(secret) > MAX_SECRET_BYTES:
            raise TooLarge(f"A secret may have at most {MAX_SECRET_BYTES} bytes.")
        known = await self._usable()
        key = await self._unwrap(known.keys[-1])
        generation, nonce = len(known.keys), self._service.nonce()
        content = nonce + AESGCM(key).encrypt(nonce, secret, self._bound_to(name, generation))
        return f"{generation}.{base64.urlsafe_b64encode(content).decode()}"

    async def open(self, name: str, sealed: str) -> bytes:
        """Raises SecretUnreadable, or Unavailable when KMS or the table does not answer."""
        known = await _DataKeyRepository(self._scope).find(self._purpose)
        generation, content = _parse(sealed)
        if known is None or not 1 <= generation <= len(known.keys):
            raise SecretUnreadable(f"{name} was not sealed by a data key of this organization.")
        key = await self._unwrap(known.keys[generation - 1])
        nonce, text = content[:NONCE_BYTES], content[NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, text, self._bound_to(name, generation))
        except (ValueError, InvalidTag) as error:
            raise SecretUnreadable(f"{name} was altered, or sealed under another name.") from error

    async def rotate(self) -> int:
        """Make a new data key, which seals from now on; returns its generation. Older texts stay readable.

        Raises Conflict when there are MAX_DATA_KEYS of them, Stale when somebody else does the same at this moment.
        """
        return len((await self._add_key(await _DataKeyRepository(self._scope).find(self._purpose))).keys)

    async def _usable(self) -> DataKeys:
        """The data keys, with a newest one that is young enough to seal."""
        data_keys = _DataKeyRepository(self._scope)
        known = await data_keys.find(self._purpose)
        if known is not None and self._scope.now() - known.keys[-1].made_at < DATA_KEY_LASTS:
            return known
        try:
            return await self._add_key(known)
        except (AlreadyExists, Stale):  # made by somebody else meanwhile
            return await data_keys.get(self._purpose)

    async def _add_key(self, known: DataKeys | None) -> DataKeys:
        if known is not None and len(known.keys) >= MAX_DATA_KEYS:
            raise Conflict(f"{self._purpose} has had {MAX_DATA_KEYS} data keys; it can't have more.")
        _, wrapped = await self._service.make(self._context)
        fresh = DataKey(wrapped=base64.b64encode(wrapped).decode(), made_at=self._scope.now())
        data_keys, unit = _DataKeyRepository(self._scope), self._scope.unit_of_work(claimed=False)
        if known is None:
            stored = data_keys.create(unit, DataKeys(id=self._purpose, keys=(fresh,)))
        else:
            stored = data_keys.save(unit, known.model_copy(update={"keys": (*known.keys, fresh)}))
        await unit.commit()
        return stored

    async def _unwrap(self, key: DataKey) -> bytes:
        return await self._service.unwrap(base64.b64decode(key.wrapped), self._context)

    def _bound_to(self, name: str, generation: int) -> bytes:
        return json.dumps([self._scope.org_id, self._purpose, generation, name]).encode()


def _parse(sealed: str) -> tuple[int, bytes]:
    number, _, text = sealed.partition(".")
    try:
        return int(number), base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError as error:
        raise SecretUnreadable("This text was not made by the vault.") from error
