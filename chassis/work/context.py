"""The context of a piece of work: the service's process, the actor, and the cause. A scope (`chassis.work.scope`) joins
them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.clock import Clock, Ids
from chassis.errors import Forbidden, OperationDenied, OutOfScope
from chassis.storage.table import Table
from chassis.work.idempotency_claims import IdempotencyClaim
from chassis.work.outbox import Outbox
from chassis.work.preconditions import Precondition
from chassis.work.process_cache import ProcessCache
from contracts.common import SYSTEM_ACTOR, Role


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
    claim: IdempotencyClaim | None = None
    replayed: bool = False
    """An operator feeds history in again: nothing may leave us for it a second time."""
    precondition: Precondition | None = None


@dataclass(frozen=True)
class ServiceContext:
    """What one service's process gives to every piece of work."""

    service: str
    table: Table
    outbox: Outbox
    clock: Clock
    ids: Ids
    ports: Mapping[type, object] = field(default_factory=dict)
    process_cache: ProcessCache = field(default_factory=ProcessCache)
    """What `chassis.work.cache` keeps in this process."""
