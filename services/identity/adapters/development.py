"""The development provider: an identity provider for tests and for environments without Cognito. It takes Cognito's
part in every promise. Unlike with Cognito, the service then stores passwords, as scrypt hashes (RFC 7914), and codes
and refresh tokens as digests."""

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
from chassis.storage.table import Range, Table
from services.identity.accounts.model import is_strong
from services.identity.adapters.development_accounts import DevelopmentAccount, DevelopmentAccounts
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
from services.identity.memberships.claims import partition_of, token_claims
from services.identity.ports import Person, Tokens
from services.identity.profiles.repository import MAX_ROWS

MAX_FAILURES = 5
LOCKED = timedelta(minutes=15)
SESSION = timedelta(hours=24)

PasswordHash = Callable[[str, bytes], Awaitable[bytes]]
"""The hash of a password with its salt."""


class CodeSender(Protocol):
    """Delivers confirmation codes."""

    async def send_code(self, email: str, code: str) -> None: ...


async def scrypt_hash(password: str, salt: bytes) -> bytes:
    """Some 50 ms and 16 MiB, off the event loop. A guess costs the same."""
    return await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)


@dataclass
class Dependencies:
    """Collaborators of the provider. `table` is identity's, for the claims; `accounts` stores the accounts (the same
    table, except in tests); `get_issuer` returns the issuer that signs."""

    table: Table
    accounts: Table
    get_issuer: Callable[[], Awaitable[DevelopmentIssuer]]
    code_sender: CodeSender
    clock: Clock
    hash_password: PasswordHash = scrypt_hash


class DevelopmentProvider:
    """Implements IdentityProvider."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies, self._accounts = dependencies, DevelopmentAccounts(dependencies.accounts)

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        if (existing := await self._accounts.find(email)) is None:
            if not is_strong(password):
                raise WeakPassword
            existing = await self._register(email, password, name, invited=invited, attempt=attempt)
        if existing.attempt != attempt:
            raise AddressTaken
        return existing.user_id

    async def resend_code(self, email: str) -> None:
        code = _new_code()

        def replace_code(account: DevelopmentAccount) -> DevelopmentAccount | None:
            return None if account.confirmed else account.model_copy(update={"code": _digest(code)})

        if await self._accounts.change(email, replace_code):
            await self._dependencies.code_sender.send_code(email, code)

    async def confirm(self, email: str, code: str) -> None:
        def check_code(account: DevelopmentAccount) -> DevelopmentAccount:
            if account.confirmed:
                raise AlreadyConfirmed
            if not hmac.compare_digest(account.code, _digest(code)):
                raise WrongCode
            return account.model_copy(update={"confirmed": True})

        if await self._accounts.change(email, check_code) is None:
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
        now = self._dependencies.clock.now().timestamp()
        if account.failures >= MAX_FAILURES and now < account.failed_at + LOCKED.total_seconds():
            raise Locked
        password_hash = await self._dependencies.hash_password(password, bytes.fromhex(account.salt))
        if not hmac.compare_digest(password_hash.hex(), account.password):
            await self._accounts.change(email, lambda present: present.count_failure(now, LOCKED.total_seconds()))
            raise WrongCredentials
        if not account.confirmed:
            raise NotConfirmed
        if account.failures:
            await self._accounts.change(email, lambda present: present.model_copy(update={"failures": 0}))
        refresh_token = secrets.token_urlsafe(32)
        ends = int(now + SESSION.total_seconds())
        await self._accounts.open_session(_digest(refresh_token), account, ends)
        return await self._tokens(account, refresh_token)

    async def refresh(self, refresh_token: str) -> Tokens:
        session = await self._accounts.session(_digest(refresh_token))
        if session is None or session["expires_at"] <= self._dependencies.clock.now().timestamp():
            raise SessionEnded
        account = await self._accounts.find(session["email"])
        if account is None or account.epoch != session["epoch"]:
            raise SessionEnded
        return await self._tokens(account, None)

    async def sign_out(self, access_token: str) -> None:
        email = jwt.decode(access_token, options={"verify_signature": False})["email"]
        await self._accounts.change(email, lambda present: present.model_copy(update={"epoch": present.epoch + 1}))

    async def keys(self) -> dict[str, Any]:
        return (await self._dependencies.get_issuer()).keys()

    async def _register(
        self, email: str, password: str, name: str, *, invited: bool, attempt: str
    ) -> DevelopmentAccount:
        salt, code = secrets.token_bytes(16), _new_code()
        account = DevelopmentAccount(
            # Derived from the address, so that the same person has the same id in an environment that starts over.
            user_id=f"user_{hashlib.sha256(email.encode()).hexdigest()[:32]}",
            email=email,
            name=name,
            invited=invited,
            attempt=attempt,
            salt=salt.hex(),
            password=(await self._dependencies.hash_password(password, salt)).hex(),
            code=_digest(code),
        )
        stored = await self._accounts.create(account)
        if stored is account:
            await self._dependencies.code_sender.send_code(email, code)
        return stored

    async def _tokens(self, account: DevelopmentAccount, refresh_token: str | None) -> Tokens:
        # unscoped(key-outside-repository): stands in for Cognito and its trigger, which have no scope either
        rows = await self._dependencies.table.query(partition_of(account.user_id), Range(limit=MAX_ROWS))
        claims = TokenClaims.model_validate(token_claims(account.user_id, rows, email=account.email, name=account.name))
        issuer = await self._dependencies.get_issuer()
        return Tokens(issuer.token(claims), refresh_token, int(LIFETIME.total_seconds()), claims)


def _new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
