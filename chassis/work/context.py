"""Whom a piece of work is for and on whose behalf: the scope that every use case and every repository is built with."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2s
from typing import TYPE_CHECKING, Protocol, TypeVar

from chassis.clock import Clock, Ids
from chassis.errors import Forbidden, OperationDenied, OutOfScope
from chassis.storage.keys import Key, ListEntry, org_prefix, user_prefix
from chassis.storage.table import Table
from chassis.tenants.access_denied_events import Denials
from chassis.tenants.api_key_usage import KeyUses
from chassis.tenants.rate_limit import SeenLevels
from chassis.work.cache import Kept
from chassis.work.idempotency_claims import Claim
from chassis.work.preconditions import Precondition
from chassis.work.unit_of_work import Unit
from contracts.common import SYSTEM_ACTOR, SYSTEM_ORG, Role

if TYPE_CHECKING:
    from chassis.work.outbox import Outbox

P = TypeVar("P")


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


@dataclass(frozen=True)
class Actor:
    """Who acts: the id of a user or of an API key, or `system`, with what audit wants to know of them."""

    id: str = SYSTEM_ACTOR
    role: Role | None = None
    email: str | None = None
    name: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    grants: frozenset[str] = frozenset()
    denies: frozenset[str] = frozenset()
    holder_id: str | None = None
    """Of a program: the person whom its API key belongs to."""
    scopes: frozenset[str] | None = None
    """Of a program: the only operations that it may do."""

    @property
    def person_id(self) -> str:
        """Who answers for what is done here, wherever only a person can stand."""
        return self.holder_id or self.id

    def require(self, operation: str, least: Role) -> None:
        """The one answer to who may do what: whose role is `least` or above, or who was granted the operation; and in
        either case not who was denied it; for a program, within its scopes. Raises Forbidden or one of its kinds."""
        if self.scopes is not None and operation not in self.scopes:
            raise OutOfScope(operation)
        if operation in self.denies:
            raise OperationDenied(operation)
        if operation not in self.grants and (self.role is None or not self.role.covers(least)):
            raise Forbidden(operation)

    def may(self, operation: str, least: Role) -> bool:
        try:
            self.require(operation, least)
        except Forbidden:
            return False
        return True


@dataclass(frozen=True)
class Cause:
    """What led to this work. `correlation_id` names the whole chain, `causation_id` the event just before."""

    correlation_id: str
    causation_id: str | None = None
    claim: Claim | None = None
    replayed: bool = False
    """An operator feeds history in again: nothing may leave us for it a second time."""
    precondition: Precondition | None = None


@dataclass(frozen=True)
class Toolbox:
    """What one service's process gives to every piece of work."""

    service: str
    table: Table
    outbox: "Outbox"
    clock: Clock
    ids: Ids
    ports: Mapping[type, object] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)
    """What `chassis.work.cache` keeps in this process."""
    seen_levels: SeenLevels = field(default_factory=SeenLevels)
    denials: Denials = field(default_factory=Denials)
    key_uses: KeyUses = field(default_factory=KeyUses)


@dataclass(frozen=True)
class Scope(ABC):
    """The reach of one piece of work in one service's table. Use its subclasses."""

    tools: Toolbox
    actor: Actor
    cause: Cause

    @property
    @abstractmethod
    def owner_prefix(self) -> str:
        """What every key of this owner begins with."""

    @property
    @abstractmethod
    def event_org(self) -> str:
        """The org that events published in this scope belong to."""

    @property
    def table(self) -> Table:
        return self.tools.table

    def key(self, kind: str, id: str = "", sk: str = "A") -> Key:  # noqa: A002
        """The key of one of this owner's items. `kind` is upper-case, such as TASK."""
        return Key(f"{self.owner_prefix}#{kind}#{id}" if id else f"{self.owner_prefix}#{kind}", sk)

    def entry(self, index: int, name: str, sort: str) -> ListEntry:
        """A place in one of this owner's lists."""
        return ListEntry(index, f"{self.owner_prefix}#{name}", sort)

    def unit(self, *, step: str = "", claimed: bool = True) -> Unit:
        """A new atomic change. A piece of work that commits several names each by `step`, and each is claimed apart;
        `claimed=False` is for changes that are idempotent by themselves."""
        return Unit(self, step=step, claimed=claimed)

    def require_match(self, target: Versioned) -> None:
        """For use cases that change `target`, when they have read it. Raises PreconditionFailed if the client wants the
        change for another version only; the commit's own condition is on the version that was read."""
        if self.cause.precondition is not None:
            self.cause.precondition.check(target.version)

    def now(self) -> datetime:
        return self.tools.clock.now()

    def new_id(self, prefix: str) -> str:
        """A fresh id, which sorts after the earlier ones."""
        return self.tools.ids.new(prefix)

    def id_of_request(self, prefix: str) -> str:
        """An id that a repetition of the request with its Idempotency-Key makes again; a fresh one without the key.
        For what is made outside our table, where no claim of ours is in the way of a second one. It does not sort."""
        claim = self.cause.claim
        if claim is None:
            return self.tools.ids.new(prefix)
        return f"{prefix}_{blake2s(claim.key.pk.encode(), digest_size=16).hexdigest()}"

    def port(self, port: type[P]) -> P:
        """The adapter of a port that the service's declaration names. Raises KeyError for any other."""
        adapter: P = self.tools.ports[port]  # type: ignore[assignment]
        return adapter

    def for_org(self, org_id: str) -> "OrgScope":
        """The same work in an organization. For entry points only: guards, and what creates an organization."""
        return OrgScope(self.tools, self.actor, self.cause, org_id)

    def for_user(self, user_id: str) -> "UserScope":
        """The same work on a user's own items. For entry points only."""
        return UserScope(self.tools, self.actor, self.cause, user_id)


@dataclass(frozen=True)
class OrgScope(Scope):
    """Work inside one organization. It cannot name a key of another."""

    org_id: str

    @property
    def owner_prefix(self) -> str:
        return org_prefix(self.org_id)

    @property
    def event_org(self) -> str:
        return self.org_id


@dataclass(frozen=True)
class UserScope(Scope):
    """Work on what belongs to a user and to no organization. `active_org` is the organization of their token."""

    user_id: str
    active_org: str | None = None

    @property
    def owner_prefix(self) -> str:
        return user_prefix(self.user_id)

    @property
    def event_org(self) -> str:
        return self.active_org or SYSTEM_ORG

    def in_org(self, org_id: str | None) -> "UserScope":
        return replace(self, active_org=org_id)


@dataclass(frozen=True)
class EventContext:
    """What a consumer knows of an event besides the fields it reads. It holds no other data of the event.

    `causation_id` names the event that led to this one.
    """

    scope: OrgScope
    event_id: str
    event_type: str
    subject: str
    version: int
    time: datetime
    receive_count: int = 1
    causation_id: str | None = None
