"""An identity provider of our own, for tests and for places without Cognito. Its users live as long as the process."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

import jwt

from chassis.auth.development import LIFETIME, DevelopmentIssuer
from chassis.auth.tokens import Claims
from chassis.errors import NotFound
from chassis.table import Table
from services.identity.account import partition_of, token_claims
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


@dataclass
class _User:
    person: Person
    password: str
    attempt: str
    code: str
    confirmed: bool = False
    failures: int = 0


class DevelopmentProvider:
    """Implements IdentityProvider. `codes` holds what a person would find in their mailbox."""

    def __init__(self, issuer: DevelopmentIssuer, table: Table) -> None:
        self._issuer, self._table = issuer, table
        self._users: dict[str, _User] = {}
        self._sessions: dict[str, str] = {}
        self.codes: dict[str, str] = {}

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        if existing := self._users.get(email):
            if existing.attempt != attempt:
                raise AddressTaken
            return existing.person.user_id
        if not strong(password):
            raise WeakPassword
        # Made from the address, so that a restart gives the same person the same id.
        person = Person(f"user_{hashlib.sha256(email.encode()).hexdigest()[:32]}", email, name, invited)
        self._users[email] = _User(person, password, attempt, _new_code())
        self.codes[email] = self._users[email].code
        return person.user_id

    async def resend_code(self, email: str) -> None:
        user = self._users.get(email)
        if user is not None and not user.confirmed:
            user.code = self.codes[email] = _new_code()

    async def confirm(self, email: str, code: str) -> None:
        user = self._users.get(email)
        if user is None:
            raise WrongCode
        if user.confirmed:
            raise AlreadyConfirmed
        if not hmac.compare_digest(user.code, code):
            raise WrongCode
        user.confirmed = True

    async def person(self, email: str) -> Person:
        user = self._users.get(email)
        if user is None or not user.confirmed:
            raise NotFound("user")
        return user.person

    async def sign_in(self, email: str, password: str) -> Tokens:
        user = self._users.get(email)
        if user is None:
            raise WrongCredentials
        if user.failures >= MAX_FAILURES:
            raise Locked
        if not hmac.compare_digest(user.password, password):
            user.failures += 1
            raise WrongCredentials
        if not user.confirmed:
            raise NotConfirmed
        user.failures = 0
        refresh_token = secrets.token_urlsafe(32)
        self._sessions[refresh_token] = email
        return await self._tokens(user.person, refresh_token)

    async def refresh(self, refresh_token: str) -> Tokens:
        email = self._sessions.get(refresh_token)
        if email is None:
            raise SessionEnded
        return await self._tokens(self._users[email].person, None)

    async def sign_out(self, access_token: str) -> None:
        email = jwt.decode(access_token, options={"verify_signature": False})["email"]
        self._sessions = {token: owner for token, owner in self._sessions.items() if owner != email}

    async def _tokens(self, person: Person, refresh_token: str | None) -> Tokens:
        # unscoped(key-outside-repository): stands in for Cognito and its trigger, which have no scope either
        rows = await self._table.query(partition_of(person.user_id), limit=MAX_ROWS)
        claims = Claims.model_validate(token_claims(person.user_id, rows, email=person.email, name=person.name))
        return Tokens(self._issuer.token(claims), refresh_token, int(LIFETIME.total_seconds()), claims)


def _new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06}"
