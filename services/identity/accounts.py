"""Where the development provider keeps its accounts: two global families of a table, by address and by session."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from chassis.errors import Unavailable
from chassis.storage.keys import Key, token_key, unique_key
from chassis.storage.table import Absent, Anything, AtVersion, ConditionRefused, Expect, Put, Table

TRIES = 8


class Account(BaseModel):
    """Somebody who can sign in. Nothing in it lets one sign in: password, code and sessions are digests."""

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
    """Sessions of an earlier one have ended."""
    version: int = 1

    def failed(self, now: float, forgotten_after: float) -> Self:
        failures = self.failures if now < self.failed_at + forgotten_after else 0
        return self.model_copy(update={"failures": failures + 1, "failed_at": now})


class Accounts:
    """The accounts in one table. Raises Unavailable, as the table does."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def find(self, email: str) -> Account | None:
        row = await self._row(_key(email))
        return Account.model_validate(row) if row else None

    async def create(self, account: Account) -> Account:
        """`account` itself; or the one that somebody else has made of the address meanwhile."""
        try:
            await self._put(_key(account.email), account.model_dump(mode="json"), Absent())
        except ConditionRefused:
            found = await self.find(account.email)
            if found is None:
                raise Unavailable("The account is being changed; try again.") from None
            return found
        return account

    async def change(self, email: str, changed: Callable[[Account], Account | None]) -> Account | None:
        """Write what `changed` makes of the account; None if there is no account, or nothing to change. What `changed`
        raises is raised."""
        for _ in range(TRIES):
            account = await self.find(email)
            wanted = changed(account) if account else None
            if account is None or wanted is None:
                return None
            kept = wanted.model_copy(update={"version": account.version + 1})
            try:
                await self._put(_key(email), kept.model_dump(mode="json"), AtVersion(account.version))
            except ConditionRefused:
                continue
            return kept
        raise Unavailable("The account is being changed by many at once; try again.")

    async def open_session(self, digest: str, account: Account, expires_at: int) -> None:
        row = {"email": account.email, "epoch": account.epoch, "expires_at": expires_at}
        await self._put(token_key(digest), row, Anything())

    async def session(self, digest: str) -> dict[str, Any] | None:
        return await self._row(token_key(digest))

    async def _row(self, key: Key) -> dict[str, Any] | None:
        # unscoped(key-outside-repository): stands in for Cognito, and who signs in is in no scope yet
        return await self._table.get(key)

    async def _put(self, key: Key, row: dict[str, Any], expect: Expect) -> None:
        # unscoped(key-outside-repository): stands in for Cognito, and who signs in is in no scope yet
        await self._table.write([Put(key, row, expect)])


def _key(email: str) -> Key:
    return unique_key("account", email)
