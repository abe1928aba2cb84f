"""A service in one test: its table, bus and clock in memory, its app on a client, its consumers on real envelopes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from chassis.auth.api_key_format import digest_of, format_key
from chassis.auth.development import DevelopmentIssuer
from chassis.auth.tokens import TokenClaims, TokenVerifier
from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription
from chassis.http.app import Figures, Ready, make_app
from chassis.http.state import ApiState
from chassis.messaging.dispatch import REPLAY_NAME, Delivery, Dispatcher
from chassis.storage.cursors import CursorKeys
from chassis.storage.rate_limit_store import RateLimitStore
from chassis.storage.table import Table
from chassis.tenants.api_keys import ApiKey, KeySecret
from chassis.tenants.api_keys import project as project_key
from chassis.tenants.members import Member, project
from chassis.testing.memory import MemoryTable
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import Outbox, OutboxEntry
from chassis.work.scope import OrgScope, UserScope
from contracts.common import Role
from contracts.event import SOURCE_PREFIX, Envelope, Event

ACME = "org_acme"
_KEY = generate_private_key(public_exponent=65537, key_size=2048)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> None:
        self._now += timedelta(**delta)


class CountingIds:
    """`task_000…1`, `task_000…2`: as long as real ids, and readable."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, prefix: str = "") -> str:
        self._count += 1
        return f"{prefix}_{self._count:032x}" if prefix else f"{self._count:032x}"


class FixedKeys:
    """The keys of cursors, as if there were a secret with them; the first one signs."""

    def __init__(self, *known: bytes) -> None:
        self.known = known or (b"the key of tests",)

    async def keys(self) -> Sequence[bytes]:
        return self.known

    async def newer(self) -> Sequence[bytes]:
        return self.known


class FakeBus:
    """Keeps what is published. While `down`, it refuses every entry."""

    def __init__(self) -> None:
        self.entries: list[OutboxEntry] = []
        self.down = False

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        if not self.down:
            self.entries.extend(entries)
        return [not self.down] * len(entries)

    @property
    def envelopes(self) -> list[Envelope]:
        return [Envelope.model_validate_json(entry.detail) for entry in self.entries]


class ServiceUnderTest:
    """One service on fakes (or on the `table` given)."""

    def __init__(
        self, service: Service, *, ports: Mapping[type, object] | None = None, table: Table | None = None
    ) -> None:
        self.service = service
        self.clock, self.ids, self.bus = FakeClock(), CountingIds(), FakeBus()
        self.table: Table = table or MemoryTable()
        self.outbox = Outbox(self.table, self.bus, self.clock)
        self.context = ServiceContext(
            service.name,
            self.table,
            self.outbox,
            self.clock,
            self.ids,
            {CursorKeys: FixedKeys(), RateLimitStore: self.table, **(ports or {})},
        )
        self.issuer = DevelopmentIssuer(self.clock, _KEY)
        self._verifier = TokenVerifier(self.issuer.find, self.issuer.fetch, self.clock)
        self.public_origins: tuple[str, ...] = ()
        self._state = ApiState(self.context, self._verifier)

    # --- work inside the service

    def scope(self, user_id: str = "user_ada", role: Role = Role.OWNER, org_id: str = ACME) -> OrgScope:
        return OrgScope(self.context, self._actor(user_id, role), Cause(self.ids.new()), org_id)

    def user_scope(self, user_id: str = "user_ada", org_id: str | None = None) -> UserScope:
        return UserScope(self.context, self._actor(user_id, None), Cause(self.ids.new()), user_id, org_id)

    async def add_member(
        self, user_id: str, role: Role = Role.MEMBER, *, org_id: str = ACME, version: int = 1
    ) -> Member:
        """Put a member into the service's projection, as tenancy's event would."""
        name = user_id.removeprefix("user_")
        member = Member(id=user_id, email=f"{name}@acme.example", name=name.title(), role=role, version=version)
        await project(self.scope(org_id=org_id), member)
        return member

    async def add_key(
        self,
        *scopes: str,
        holder: str = "user_ada",
        role: Role = Role.OWNER,
        org_id: str = ACME,
        key_id: str = "key_robot",
        valid_until: datetime | None = None,
    ) -> str:
        """Put an API key into the service's projection, as identity's event would. Returns what its program sends."""
        secret = hashlib.sha256(f"{org_id} {key_id}".encode()).hexdigest()
        held = KeySecret(digest=digest_of(secret), holder_id=holder, role=role, valid_until=valid_until)
        key = ApiKey(id=key_id, name="Robot", scopes=scopes, secrets=(held,), version=1)
        await project_key(self.scope(org_id=org_id), key)
        return format_key(org_id, key_id, secret)

    # --- its events

    async def published_events(self, event_type: type[Event] | None = None) -> list[Envelope]:
        """The events that it has published so far (of one type), in order."""
        await self.outbox.flush()
        return [e for e in self.bus.envelopes if event_type is None or e.type == event_type.event_type]

    async def deliver(
        self,
        subscription: AnySubscription,
        event: Event,
        *,
        event_id: str | None = None,
        org_id: str = ACME,
        actor: str = "user_ada",
        version: int = 1,
        receive_count: int = 1,
        replayed: bool = False,
    ) -> str:
        """Let a subscription handle `event` as the bus would deliver it. Returns the event's id; repeat it to test
        that a second delivery changes nothing. Raises what the handler raises."""
        event_id = event_id or self.ids.new()
        envelope = Envelope(
            id=event_id,
            source=SOURCE_PREFIX + event.owner(),
            type=event.event_type,
            time=self.clock.now(),
            subject=event.subject(),
            dataschema=event.schema_path(),
            orgid=org_id,
            actor=actor,
            aggregateversion=version,
            correlationid="correlation",
            data=event.model_dump(mode="json", exclude_none=True),
        )
        body = {
            "source": envelope.source,
            "detail-type": envelope.type,
            "detail": envelope.model_dump(mode="json", exclude_none=True),
        } | ({REPLAY_NAME: "history"} if replayed else {})
        await self.deliver_raw(subscription, body, receive_count=receive_count)
        return event_id

    async def deliver_raw(self, subscription: AnySubscription, body: dict[str, Any], *, receive_count: int = 1) -> None:
        """Deliver any body, such as an event of AWS itself."""
        delivery = Delivery(json.dumps(body).encode(), "message", receive_count)
        await Dispatcher(self.context, subscription).handle(delivery)

    # --- its HTTP API

    @property
    def api_state(self) -> ApiState:
        """The state of its API, which outlives changes of `context` and `public_origins`."""
        origins = frozenset(self.public_origins)
        self._state = replace(self._state, context=self.context, public_origins=origins)
        return self._state

    def client(
        self,
        user_id: str | None = "user_ada",
        role: Role | None = Role.OWNER,
        *,
        org_id: str | None = ACME,
        mv: int = 1,
        ready: Ready | None = None,
        figures: Figures = dict,
        **more: Any,
    ) -> httpx.AsyncClient:
        """A client with that person's token (None: without a token). `more` are further claims."""
        headers = {}
        if user_id is not None:
            name = user_id.removeprefix("user_")
            claims = TokenClaims(
                user_id=user_id,
                email=f"{name}@acme.example",
                name=name.title(),
                org=org_id,
                role=role if org_id else None,
                mv=mv,
                **more,
            )
            headers["Authorization"] = f"Bearer {self.issuer.token(claims)}"
        app = make_app(self.service, self.api_state, ready or _ready, figures)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    def _actor(self, user_id: str, role: Role | None) -> Actor:
        name = user_id.removeprefix("user_")
        return Actor(user_id, role, f"{name}@acme.example", name.title())


async def _ready() -> str | None:
    return None
