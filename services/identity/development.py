"""An identity provider of our own, for tests and for places without Cognito. What it promises is Cognito's part: here
the service does keep passwords, by their scrypt hashes (RFC 7914), and codes and refresh tokens by their digests."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import jwt

from chassis.auth.development import LIFETIME, DevelopmentIssuer
from chassis.auth.tokens import TokenClaims
from chassis.clock import Clock
from chassis.errors import NotFound
from chassis.storage.table import Table
from services.identity.account import partition_of, token_claims
from services.identity.accounts import Account, Accounts
from services.identity.errors import (
    AddressTaken,
    AlreadyConfirmed,
    Locked,
    NotConfirmed,
    SessionEnded,
    WeakPassword,
    WrongCode,
    WrongCredentials,
)
from services.identity.model import strong
from services.identity.ports import Person, Tokens
from services.identity.repository import MAX_ROWS

MAX_FAILURES = 5
LOCKED = timedelta(minutes=15)
SESSION = timedelta(hours=24)

Hash = Callable[[str, bytes], Awaitable[bytes]]
"""Of a password and its salt."""


class Post(Protocol):
    """Brings people their codes."""

    async def send_code(self, email: str, code: str) -> None: ...


async def scrypted(password: str, salt: bytes) -> bytes:
    """Some 50 ms and 16 MiB, off the loop: what a guess costs, too."""
    return await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)


@dataclass
class Parts:
    """What the provider stands on. `table` is identity's, for the claims; `accounts` where the accounts are kept, the
    same one in a place; `issuing` answers who signs."""

    table: Table
    accounts: Table
    issuing: Callable[[], Awaitable[DevelopmentIssuer]]
    post: Post
    clock: Clock
    hashed: Hash = scrypted


class DevelopmentProvider:
    """Implements IdentityProvider."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._accounts = parts, Accounts(parts.accounts)

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        if (existing := await self._accounts.find(email)) is None:
            if not strong(password):
                raise WeakPassword
            existing = await self._register(email, password, name, invited=invited, attempt=attempt)
        if existing.attempt != attempt:
            raise AddressTaken
        return existing.user_id

    async def resend_code(self, email: str) -> None:
        code = _new_code()

        def renewed(account: Account) -> Account | None:
            return None if account.confirmed else account.model_copy(update={"code": _digest(code)})

        if await self._accounts.change(email, renewed):
            await self._parts.post.send_code(email, code)

    async def confirm(self, email: str, code: str) -> None:
        def confirmed(account: Account) -> Account:
            if account.confirmed:
                raise AlreadyConfirmed
            if not hmac.compare_digest(account.code, _digest(code)):
                raise WrongCode
            return account.model_copy(update={"confirmed": True})

        if await self._accounts.change(email, confirmed) is None:
            raise WrongCode

    async def person(self, email: str) -> Person:
        account = await self._accounts.find(email)
        if account is None or not account.confirmed:
            raise NotFound("user")
        return Person(account.user_id, account.email, account.name, account.invited)

    async def sign_in(self, email: str, password: str) -> Tokens:
        account = await self._accounts.find(email)
        if account is None:
            raise WrongCredentials
        now = self._parts.clock.now().timestamp()
        if account.failures >= MAX_FAILURES and now < account.failed_at + LOCKED.total_seconds():
            raise Locked
        given = await self._parts.hashed(password, bytes.fromhex(account.salt))
        if not hmac.compare_digest(given.hex(), account.password):
            await self._accounts.change(email, lambda known: known.failed(now, LOCKED.total_seconds()))
            raise WrongCredentials
        if not account.confirmed:
            raise NotConfirmed
        if account.failures:
            await self._accounts.change(email, lambda known: known.model_copy(update={"failures": 0}))
        refresh_token = secrets.token_urlsafe(32)
        ends = int(now + SESSION.total_seconds())
        await self._accounts.open_session(_digest(refresh_token), account, ends)
        return await self._tokens(account, refresh_token)

    async def refresh(self, refresh_token: str) -> Tokens:
        session = await self._accounts.session(_digest(refresh_token))
        if session is None or session["expires_at"] <= self._parts.clock.now().timestamp():
            raise SessionEnded
        account = await self._accounts.find(session["email"])
        if account is None or account.epoch != session["epoch"]:
            raise SessionEnded
        return await self._tokens(account, None)

    async def sign_out(self, access_token: str) -> None:
        email = jwt.decode(access_token, options={"verify_signature": False})["email"]
        await self._accounts.change(email, lambda known: known.model_copy(update={"epoch": known.epoch + 1}))

    async def keys(self) -> dict[str, Any]:
        return (await self._parts.issuing()).keys()

    async def _register(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> Account:
        salt, code = secrets.token_bytes(16), _new_code()
        account = Account(
            # Made from the address, so that a place that starts over gives the same person the same id.
            user_id=f"user_{hashlib.sha256(email.encode()).hexdigest()[:32]}",
            email=email, name=name, invited=invited, attempt=attempt, salt=salt.hex(),
            password=(await self._parts.hashed(password, salt)).hex(), code=_digest(code),
        )  # fmt: skip
        kept = await self._accounts.create(account)
        if kept is account:
            await self._parts.post.send_code(email, code)
        return kept

    async def _tokens(self, account: Account, refresh_token: str | None) -> Tokens:
        # unscoped(key-outside-repository): stands in for Cognito and its trigger, which have no scope either
        rows = await self._parts.table.query(partition_of(account.user_id), limit=MAX_ROWS)
        claims = TokenClaims.model_validate(token_claims(account.user_id, rows, email=account.email, name=account.name))
        issuer = await self._parts.issuing()
        return Tokens(issuer.token(claims), refresh_token, int(LIFETIME.total_seconds()), claims)


def _new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
