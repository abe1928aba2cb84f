"""Accounts of the development provider, stored in two global families of a table: by address, and by session."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from chassis.errors import Stale, Unavailable
from chassis.resilience.retry import retry_on_stale
from chassis.storage.keys import Key, token_key, unique_key
from chassis.storage.table import Absent, Anything, AtVersion, ConditionRefused, Expect, Put, Table


class DevelopmentAccount(BaseModel):
    """A person who can sign in. It contains nothing to sign in with: password, code and sessions are digests."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user_id: str
    email: str
    name: str
    invited: bool
    attempt: str
    salt: str
    password: str
    code: str
    confirmed: bool = False
    failures: int = 0
    failed_at: float = 0.0
    """Epoch seconds of the last wrong password."""
    epoch: int = 0
    """Sessions of an earlier epoch have ended."""
    version: int = 1

    def count_failure(self, now: float, forgotten_after: float) -> Self:
        """The account with one more wrong password. Earlier ones count if the last of them is less than
        `forgotten_after` seconds old."""
        failures = self.failures if now < self.failed_at + forgotten_after else 0
        return self.model_copy(update={"failures": failures + 1, "failed_at": now})


class DevelopmentAccounts:
    """The accounts in one table. Raises Unavailable, as the table does."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def find(self, email: str) -> DevelopmentAccount | None:
        row = await self._row(_key(email))
        return DevelopmentAccount.model_validate(row) if row else None

    async def create(self, account: DevelopmentAccount) -> DevelopmentAccount:
        """`account` itself, or the one that somebody else has created for the address in the meantime."""
        try:
            await self._put(_key(account.email), account.model_dump(mode="json"), Absent())
        except ConditionRefused:
            existing = await self.find(account.email)
            if existing is None:
                raise Unavailable("The account is being changed; try again.") from None
            return existing
        return account

    async def change(
        self, email: str, make: Callable[[DevelopmentAccount], DevelopmentAccount | None]
    ) -> DevelopmentAccount | None:
        """Write what `make` returns for the account; None if there is no account, or nothing to change. Raises what
        `make` raises."""

        async def attempt() -> DevelopmentAccount | None:
            account = await self.find(email)
            wanted = make(account) if account else None
            if account is None or wanted is None:
                return None
            changed = wanted.model_copy(update={"version": account.version + 1})
            try:
                await self._put(_key(email), changed.model_dump(mode="json"), AtVersion(account.version))
            except ConditionRefused:
                raise Stale("The account was changed by somebody else.") from None
            return changed

        try:
            return await retry_on_stale(attempt)
        except Stale:
            raise Unavailable("The account is being changed by many at once; try again.") from None

    async def open_session(self, digest: str, account: DevelopmentAccount, expires_at: int) -> None:
        row = {"email": account.email, "epoch": account.epoch, "expires_at": expires_at}
        await self._put(token_key(digest), row, Anything())

    async def session(self, digest: str) -> dict[str, Any] | None:
        return await self._row(token_key(digest))

    async def _row(self, key: Key) -> dict[str, Any] | None:
        # unscoped(key-outside-repository): stands in for Cognito, where a caller who signs in has no scope yet
        return await self._table.get(key)

    async def _put(self, key: Key, row: dict[str, Any], expect: Expect) -> None:
        # unscoped(key-outside-repository): stands in for Cognito, where a caller who signs in has no scope yet
        await self._table.write([Put(key, row, expect)])


def _key(email: str) -> Key:
    return unique_key("account", email)
