"""Adapters of the services' ports. The state behind them is outside of every process and survives its crash."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from chassis.auth.development import DevelopmentIssuer
from chassis.auth.tokens import TokenClaims, TokenVerifier
from chassis.errors import Retryable, Unauthenticated
from chassis.tenants.vault import KeyService
from chassis.testing.keys import FakeKeys
from services.files.content.model import Findings, Text, TextMetadata
from services.files.errors import InspectionDied
from services.files.ports import Form, Inspector, ObjectStore, StoredObject
from services.identity.adapters.development import DevelopmentProvider
from services.identity.ports import IdentityProvider, Person, SecretSource, Tokens
from services.notify.ports import Composer, EmailContent, Mail, Mailer
from services.tenancy.ports import TokenSource
from tests.services.files.fakes import FakeObjectStore
from tests.services.identity.conftest import FakeSecrets
from verification.simulation.backends import unavailable
from verification.simulation.wire import Life, Wire

T = TypeVar("T")


class PlainIssuer(DevelopmentIssuer):
    """Issues unsigned tokens: signatures have tests of their own and cost more than the rest of a request."""

    def __init__(self) -> None:
        pass

    def token(self, claims: TokenClaims, **overrides: Any) -> str:
        return json.dumps(claims.model_dump(mode="json", exclude_none=True, by_alias=True) | overrides)


class PlainVerifier(TokenVerifier):
    """Accepts the tokens of `PlainIssuer`."""

    def __init__(self) -> None:
        pass

    async def verify(self, token: str) -> TokenClaims:
        if not token.startswith("{"):
            raise Unauthenticated("The token is not from PlainIssuer.")
        return TokenClaims.model_validate_json(token)


@dataclass
class Outside:
    """The mail service, the object store, and the number of secrets given out. `mails` are in the order of sending."""

    mails: list[Mail] = field(default_factory=list)
    store: FakeObjectStore = field(default_factory=FakeObjectStore)
    secrets: int = 0


class WiredPort:
    """Adapter of a port in one process, with its calls over the wire."""

    def __init__(self, wire: Wire, life: Life) -> None:
        self._wire, self._life = wire, life

    async def _call(
        self, what: str, work: Callable[[], Awaitable[T]], refusal: Callable[[], Exception] = unavailable
    ) -> T:
        return await self._wire.call(self._life, f"{self._life.service}.{what}", work, refusal)


class WiredProvider(WiredPort):
    def __init__(self, wire: Wire, life: Life, real: DevelopmentProvider) -> None:
        super().__init__(wire, life)
        self._real = real

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        real = self._real
        return await self._call(
            "provider.sign_up", lambda: real.sign_up(email, password, name, invited=invited, attempt=attempt)
        )

    async def resend_code(self, email: str) -> None:
        await self._call("provider.resend_code", lambda: self._real.resend_code(email))

    async def confirm(self, email: str, code: str) -> None:
        await self._call("provider.confirm", lambda: self._real.confirm(email, code))

    async def person(self, email: str) -> Person:
        return await self._call("provider.person", lambda: self._real.person(email))

    async def sign_in(self, email: str, password: str) -> Tokens:
        return await self._call("provider.sign_in", lambda: self._real.sign_in(email, password))

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._call("provider.refresh", lambda: self._real.refresh(refresh_token))

    async def sign_out(self, access_token: str) -> None:
        await self._call("provider.sign_out", lambda: self._real.sign_out(access_token))

    async def keys(self) -> dict[str, Any]:
        return await self._call("provider.keys", self._real.keys)


class WiredMailer(WiredPort):
    def __init__(self, wire: Wire, life: Life, outside: Outside) -> None:
        super().__init__(wire, life)
        self._outside = outside

    async def send(self, mail: Mail) -> None:
        async def work() -> None:
            self._outside.mails.append(mail)

        await self._call("mail.send", work, lambda: Retryable("The mail service accepts nothing."))


class PlainComposer:
    """Templates have tests of their own; here an e-mail's values are its text."""

    def compose(self, id: str, to: str, content: EmailContent) -> Mail:  # noqa: A002
        return Mail(id, to, content.subject, json.dumps(dict(content.values), default=str), "")


class WiredStore(WiredPort):
    def __init__(self, wire: Wire, life: Life, real: FakeObjectStore) -> None:
        super().__init__(wire, life)
        self._real = real

    async def presign_post(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Form:
        # Presigning is computed locally: no call leaves the process.
        return await self._real.presign_post(key, content_type=content_type, size=size, lifetime=lifetime)

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        return await self._real.presign_get(
            key, version=version, content_type=content_type, disposition=disposition, lifetime=lifetime
        )

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        return await self._call("store.head", lambda: self._real.head(key, version))

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        return await self._call("store.read", lambda: self._real.read(key, version, max_bytes=max_bytes))

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        await self._call("store.put", lambda: self._real.put(key, body, content_type=content_type))

    async def delete(self, key: str, version: str | None) -> None:
        await self._call("store.delete", lambda: self._real.delete(key, version))


class WiredInspector(WiredPort):
    """Finds text in every file, so that each has derived content."""

    async def inspect(self, content: bytes, content_type: str) -> Findings:
        async def work() -> Findings:
            return Findings(
                metadata=TextMetadata(lines=1, characters=len(content), encoding="utf-8"),
                text=Text(pages=1, characters=len(content)),
                text_utf8=content,
            )

        return await self._call("inspect", work, lambda: InspectionDied("The inspection ended with code -9."))


class CountedSecrets:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def new(self) -> str:
        self._outside.secrets += 1
        return f"secret-{self._outside.secrets}"


def ports_of(wire: Wire, life: Life, outside: Outside, provider: DevelopmentProvider) -> dict[type, object]:
    """Adapters of all ports of all services; each service uses those that it declares."""
    return {
        IdentityProvider: WiredProvider(wire, life, provider),
        Mailer: WiredMailer(wire, life, outside),
        Composer: PlainComposer(),
        ObjectStore: WiredStore(wire, life, outside.store),
        Inspector: WiredInspector(wire, life),
        SecretSource: FakeSecrets(),
        TokenSource: CountedSecrets(outside),
        KeyService: FakeKeys(),
    }
