"""The context of a piece of work: the service's process, the actor and the cause, joined in a `chassis.work.scope`."""

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
    """The user, the API key or the `system` that acts, with the details that audit records."""

    id: str = SYSTEM_ACTOR
    role: Role | None = None
    email: str | None = None
    name: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    grants: frozenset[str] = frozenset()
    denies: frozenset[str] = frozenset()
    holder_id: str | None = None
    """Of a program: the person who holds its API key."""
    scopes: frozenset[str] | None = None
    """Of a program: the only operations that it may carry out."""

    @property
    def person_id(self) -> str:
        """The person who is responsible: the holder of the API key, or the user."""
        return self.holder_id or self.id

    def require(self, operation: str, least: Role) -> None:
        """Check the permission for an operation: the role is `least` or above, or the operation was granted; it was not
        denied; and for a program, its scopes include it. Raises Forbidden or one of its kinds."""
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
    """The origin of a piece of work. `correlation_id` names the whole chain, `causation_id` the event just before."""

    correlation_id: str
    causation_id: str | None = None
    claim: IdempotencyClaim | None = None
    replayed: bool = False
    """An operator replays history: no e-mail or other external effect may be repeated for it."""
    precondition: Precondition | None = None


@dataclass(frozen=True)
class ServiceContext:
    """The dependencies that one process of a service gives to every piece of work."""

    service: str
    table: Table
    outbox: Outbox
    clock: Clock
    ids: Ids
    ports: Mapping[type, object] = field(default_factory=dict)
    process_cache: ProcessCache = field(default_factory=ProcessCache)
    """The entries of `chassis.work.cache` in this process."""
