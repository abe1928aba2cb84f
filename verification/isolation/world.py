"""A service with the data of two organizations, and the outcome of requests to it."""

import copy
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import structlog
from fastapi import FastAPI

from chassis.auth.tokens import TokenClaims
from chassis.declare.service import service
from chassis.declare.subscription import Subscription
from chassis.http.app import make_app
from chassis.storage.keys import Key
from chassis.storage.table import Item
from chassis.tenants.members import MemberRepository
from chassis.tenants.organizations import OrganizationProfileRepository
from chassis.testing.service import ServiceUnderTest
from contracts.common import OrgStatus, Plan, Role
from contracts.event import Envelope
from contracts.tenancy import v1 as tenancy
from verification.isolation.people import BY_ROLE, MALLORY, MARK, MARKER, REMOVED, VERA, Person
from verification.isolation.recording import Call, RecordingTable

VICTIM, ATTACKER = "org_thevictim", "org_attacker1"
PLAIN = (dict, list, set, int, str, type(None))


@dataclass(frozen=True)
class Pair:
    """Ids for a slot of a request: the victim's, the attacker's own, and one that does not exist."""

    victim: str
    own: str

    @property
    def absent(self) -> str:
        """An id that does not exist, of the same kind and length."""
        if "@" in self.victim:
            return "nobody@nowhere.example"
        prefix, mark, rest = self.victim.rpartition("_")
        return prefix + mark + "z" * len(rest)


@dataclass(frozen=True)
class Outcome:
    """Outcome of a request: its answer, its calls to the table, and its log lines."""

    status: int
    body: str
    headers: Mapping[str, str]
    calls: tuple[Call, ...]
    logs: str

    @property
    def visible_text(self) -> str:
        """Everything that the caller, or a reader of the log lines, can see."""
        return f"{self.body}\n{json.dumps(dict(self.headers))}\n{self.logs}"


@dataclass
class Request:
    """A request. `body` is sent as JSON, or unchanged if it is a text."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class World:
    """A service under test, with everything that its attackers need."""

    def __init__(self, name: str, ports: Mapping[type, object] | None = None) -> None:
        self.table = RecordingTable()
        self.sut = ServiceUnderTest(service(name), ports=ports, table=self.table)
        self.victim_org, self.attacker_org = VICTIM, ATTACKER
        self.vera, self.mallory, self.removed = VERA, MALLORY, REMOVED
        self.by_role = dict(BY_ROLE)
        self.pairs: dict[str, Pair] = {}
        self.values: dict[str, Any] = {}
        self.holders: dict[str, Person] = {}
        """Operation id -> person who calls it, for operations that the owner does not call."""
        self.stateful: list[object] = []
        """Adapters whose state is saved and restored with the world."""
        self.externals: dict[str, tuple[Callable[[str, str], dict[str, Any]], Pair]] = {}
        """Subscription to events of AWS -> function that makes the event of a resource, and the ids of resources."""
        self.arguments: dict[object, list[object]] = {}
        """Arguments of repository methods, by type or by name, where rows do not provide them."""
        self._app: FastAPI | None = None
        self._saved: tuple[Any, ...] | None = None
        self._before: dict[Key, Item] = {}

    @property
    def name(self) -> str:
        return self.sut.service.name

    @property
    def app(self) -> FastAPI:
        if self._app is None:

            async def ready() -> str | None:
                return None

            self._app = make_app(self.sut.service, self.sut.api_state, ready)
        return self._app

    def set_port(self, port: type, adapter: object) -> None:
        self.sut.context = replace(self.sut.context, ports={**self.sut.context.ports, port: adapter})

    # --- people

    def members(self, org: str) -> list[tuple[Person, Role]]:
        if org == self.attacker_org:
            return [(self.mallory, Role.OWNER), (MARK, Role.MEMBER)]
        return [(self.vera, Role.OWNER), *((person, role) for role, person in self.by_role.items())]

    async def tell_members(self, subscription: Subscription) -> None:
        """Deliver tenancy's events about the members of both organizations, and about a removed one of the victim."""
        await self.tell_organizations(subscription)
        for org in (self.victim_org, self.attacker_org):
            for person, role in self.members(org):
                await self._deliver_membership(subscription, tenancy.MemberAdded, person, role, org, 1)
        await self._deliver_membership(subscription, tenancy.MemberAdded, self.removed, Role.ADMIN, self.victim_org, 1)
        await self._deliver_membership(
            subscription, tenancy.MemberRemoved, self.removed, Role.ADMIN, self.victim_org, 2
        )

    def override(self, person: Person, *, grants: tuple[str, ...] = (), denies: tuple[str, ...] = ()) -> None:
        """Set the permission overrides of a member of the victim, if the service stores memberships."""
        row = self.table.items.get(MemberRepository(self.sut.scope(org_id=self.victim_org)).key(person.id))
        if row is not None:
            row |= {"grants": list(grants), "denies": list(denies)}

    def suspend(self) -> None:
        """Suspend the victim's organization, as staff would."""
        key = OrganizationProfileRepository(self.sut.scope(org_id=self.victim_org)).key(self.victim_org)
        self.table.items[key] |= {"status": OrgStatus.SUSPENDED.value}

    async def tell_organizations(self, subscription: Subscription) -> None:
        """Deliver tenancy's events about both organizations."""
        for org, owner in ((self.victim_org, self.vera), (self.attacker_org, self.mallory)):
            created = tenancy.OrganizationCreated(
                org_id=org, slug=owner.id, name=owner.name, plan=Plan.FREE, owner_id=owner.id, personal=False
            )
            await self.sut.deliver(subscription, created, org_id=org)

    async def _deliver_membership(
        self,
        subscription: Subscription,
        event: type[tenancy.MemberAdded | tenancy.MemberRemoved],
        person: Person,
        role: Role,
        org: str,
        version: int,
    ) -> None:
        change = event(user_id=person.id, email=person.email, name=person.name, role=role)
        await self.sut.deliver(subscription, change, org_id=org, version=version)

    def token(self, claims: TokenClaims, **overrides: Any) -> str:
        return self.sut.issuer.token(claims, **overrides)

    @property
    def owner(self) -> str:
        return self.token(self.vera.claims(self.victim_org))

    @property
    def attacker(self) -> str:
        return self.token(self.mallory.claims(self.attacker_org))

    # --- state

    def save(self) -> None:
        """Save the state to which `restore` returns."""
        items = {key: dict(item) for key, item in self.table.items.items()}
        ports = [(port, copy.deepcopy(_plain(port))) for port in self.stateful]
        self._saved = (items, self.sut.clock.now(), self.sut.ids._count, len(self.sut.bus.entries), ports)

    def mark(self) -> None:
        """Save the items with which `changed_keys` compares until the next `restore`."""
        self._before = {key: dict(item) for key, item in self.table.items.items()}

    def restore(self) -> None:
        """Return to the saved state, so that two requests start from the same state and get the same ids."""
        assert self._saved is not None
        items, now, count, entries, ports = self._saved
        self.table.items = {key: dict(item) for key, item in items.items()}
        self.sut.clock._now, self.sut.ids._count = now, count
        del self.sut.bus.entries[entries:]
        self.sut.outbox._waiting.clear()
        self.sut.context.process_cache.clear()
        state = self.sut.api_state
        state.rate_limiter.cache.forget()
        state.access_denied.clear()
        state.api_key_usage.forget()
        for port, state in ports:
            vars(port).update(copy.deepcopy(state))
        self._before = items

    def changed_keys(self) -> Iterator[Key]:
        """Keys of items that have changed since `restore` or `mark`."""
        before = self._before
        for key in before.keys() | self.table.items.keys():
            if before.get(key) != self.table.items.get(key):
                yield key

    def rows(self, org: str) -> list[Item]:
        return [item for key, item in self.table.items.items() if key.pk.startswith(f"ORG#{org}#")]

    def handed_to_ports(self) -> str:
        """New state of the adapters since `restore`: e-mails, objects, accounts."""
        assert self._saved is not None
        return "\n".join(line for port, state in self._saved[4] for line in _additions(state, _plain(port)))

    async def denials(self) -> list[Envelope]:
        """Events about refused requests since `restore`."""
        assert self._saved is not None
        await self.sut.outbox.flush()
        return [each for each in self.sut.bus.envelopes[self._saved[3] :] if each.type.endswith(".access.denied.v1")]

    # --- requests

    async def send(self, request: Request, token: str | None) -> Outcome:
        """Send a request to the app."""
        headers = dict(request.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        as_text = request.body if isinstance(request.body, str) else None
        with capture_logs() as lines:
            start = len(self.table.calls)
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
                answer = await client.request(
                    request.method,
                    request.path,
                    params=request.query,
                    content=as_text,
                    json=request.body if as_text is None else None,
                )
        answer_headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        calls = tuple(self.table.calls[start:])
        return Outcome(answer.status_code, answer.text, answer_headers, calls, "\n".join(lines))

    async def call(
        self, token: str | None, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Send a request that must succeed, for seeds. Returns the parsed answer."""
        answer = await self.send(Request(method, path, body=body, headers=headers or {}), token)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        return json.loads(answer.body) if answer.body else None


@contextmanager
def capture_logs() -> Iterator[list[str]]:
    """Collect the log lines of our code and of libraries."""
    lines: list[str] = []

    class ListHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = ListHandler(), logging.getLogger()
    root.addHandler(handler)
    processors = (structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info)
    try:
        with structlog.testing.capture_logs(processors=processors) as captured:
            yield lines
        lines += [json.dumps(line, default=str) for line in captured]
    finally:
        root.removeHandler(handler)


def text(what: str) -> str:
    """A text of the victim."""
    return f"{MARKER} {what}"


def _plain(port: object) -> dict[str, Any]:
    return {name: value for name, value in vars(port).items() if isinstance(value, PLAIN)}


def _additions(before: Any, after: Any) -> Iterator[str]:
    match before, after:
        case dict(), dict():
            for name, value in after.items():
                yield from _additions(before.get(name), value)
        case list(), list():
            yield from (repr(value) for value in after if value not in before)
        case _ if before != after:
            yield repr(after)
