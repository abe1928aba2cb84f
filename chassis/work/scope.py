"""The scope of a piece of work: whose data it reaches, and on whose behalf. Use cases and repositories are built with
one, so that a key of another organization cannot be written by accident."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2s
from typing import Protocol, TypeVar

from chassis.declare.subscription import EventFacts
from chassis.storage.keys import Key, ListEntry, org_prefix, user_prefix
from chassis.storage.table import Table
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import SYSTEM_ORG

P = TypeVar("P")


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


@dataclass(frozen=True)
class Scope(ABC):
    """The reach of one piece of work in one service's table. Use its subclasses."""

    context: ServiceContext
    actor: Actor
    cause: Cause

    @property
    @abstractmethod
    def owner_prefix(self) -> str:
        """The beginning of every key of this owner."""

    @property
    @abstractmethod
    def event_org(self) -> str:
        """The organization that events published in this scope belong to."""

    @property
    def table(self) -> Table:
        return self.context.table

    def key(self, kind: str, id: str = "", sk: str = "A") -> Key:  # noqa: A002
        """The key of one of this owner's items. `kind` is in upper case, such as TASK."""
        return Key(f"{self.owner_prefix}#{kind}#{id}" if id else f"{self.owner_prefix}#{kind}", sk)

    def entry(self, index: int, name: str, sort: str) -> ListEntry:
        """An entry of one of this owner's lists."""
        return ListEntry(index, f"{self.owner_prefix}#{name}", sort)

    def unit_of_work(self, *, step: str = "", claimed: bool = True) -> UnitOfWork:
        """A new unit of work. Work that commits several names each by `step`, and each is claimed separately;
        `claimed=False` is for changes that are idempotent by themselves."""
        return UnitOfWork(self.context, self.actor, self.cause, self.event_org, step=step, claimed=claimed)

    def require_match(self, target: Versioned) -> None:
        """Call this in a use case after it has read the `target` that it will change. Raises PreconditionFailed if the
        client's If-Match names another version; the commit itself is conditional on the version that was read."""
        if self.cause.precondition is not None:
            self.cause.precondition.check(target.version)

    def now(self) -> datetime:
        return self.context.clock.now()

    def new_id(self, prefix: str) -> str:
        """A new id, which sorts after all earlier ones."""
        return self.context.ids.new(prefix)

    def id_of_request(self, prefix: str) -> str:
        """An id that is the same when the request is repeated with its Idempotency-Key; a new one without that key.
        For things that are created outside our table, where no claim prevents a second one. It does not sort."""
        claim = self.cause.claim
        if claim is None:
            return self.context.ids.new(prefix)
        return f"{prefix}_{blake2s(claim.key.pk.encode(), digest_size=16).hexdigest()}"

    def port(self, port: type[P]) -> P:
        """The adapter of a port that the service declares. Raises KeyError for any other port."""
        adapter: P = self.context.ports[port]  # type: ignore[assignment]
        return adapter

    def for_org(self, org_id: str) -> "OrgScope":
        """The same work in an organization. For entry points only: guards, and the creation of an organization."""
        return OrgScope(self.context, self.actor, self.cause, org_id)

    def for_user(self, user_id: str) -> "UserScope":
        """The same work on a user's own items. For entry points only."""
        return UserScope(self.context, self.actor, self.cause, user_id)


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


@dataclass(frozen=True, kw_only=True)
class EventContext(EventFacts):
    """The envelope of an event with the scope of its organization: all that a handler gets besides the fields it
    reads."""

    scope: OrgScope
