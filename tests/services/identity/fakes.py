"""The development provider in memory: its accounts and codes too, with a password hash that costs nothing."""

import hashlib

from chassis.auth.development import DevelopmentIssuer
from chassis.clock import Clock
from chassis.storage.table import Table
from chassis.testing.memory import MemoryTable
from services.identity.adapters.development import Dependencies, DevelopmentProvider


class Codes(dict[str, str]):
    """The last code that was sent to each address."""

    async def send_code(self, email: str, code: str) -> None:
        self[email] = code


async def cheap_hash(password: str, salt: bytes) -> bytes:
    return hashlib.sha256(salt + password.encode()).digest()


class ProviderInMemory(DevelopmentProvider):
    """Its users live as long as it does. It can be pickled."""

    def __init__(self, issuer: DevelopmentIssuer, table: Table, clock: Clock) -> None:
        self.codes, self.accounts, self._issuer = Codes(), MemoryTable(), issuer
        super().__init__(Dependencies(table, self.accounts, self._get_issuer, self.codes, clock, cheap_hash))

    async def _get_issuer(self) -> DevelopmentIssuer:
        return self._issuer
