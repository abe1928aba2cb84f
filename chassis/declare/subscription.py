"""Subscriptions: one consumer's named interest in some events. Each is one queue, one dead-letter queue and one
rule."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from chassis.declare.delivery_policy import LEAST_HANDLING_SECONDS, MAX_RECEIVES
from chassis.errors import DeclarationError
from contracts.event import SOURCE_PREFIX
from contracts.reads import Reads
from contracts.versions import older_types

R = TypeVar("R", bound=Reads[Any])
Mode = Literal["every", "latest"]


@dataclass(frozen=True, kw_only=True)
class EventFacts:
    """The envelope of an event as a handler sees it. It holds no data of the event.

    `causation_id` names the event that led to this one. Handlers get it with their scope, as
    `chassis.work.scope.EventContext`, which a declaration does not know.
    """

    event_id: str
    event_type: str
    subject: str
    version: int
    time: datetime
    receive_count: int = 1
    causation_id: str | None = None


C = TypeVar("C", bound=EventFacts)
Handler = Callable[[R, C], Awaitable[None]]
AnyHandler = Callable[["AnyEvent", C], Awaitable[None]]
UntypedHandler = Callable[[Any, Any], Awaitable[None]]


class AnyEvent(BaseModel):
    """An event as a consumer of everything (the audit trail) sees it: all fields but the secret ones, untyped.

    A change of a contract cannot break such a consumer, because it depends on no field.
    """

    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class ExternalEvent:
    """An event of AWS itself, as its adapter read it: its organization, its data, and the `id` that makes it unique."""

    id: str
    org_id: str
    data: BaseModel


class _Base(ABC):
    """The name, the delivery policy and the pattern on the bus of a subscription.

    `visibility` (seconds) is how long a message stays hidden unless its worker extends that, which it does for as long
    as a handler runs. So it is also how soon another process takes over the work of a killed one.
    """

    def __init__(
        self,
        name: str,
        *,
        mode: Mode = "every",
        visibility: int = 20,
        max_receives: int = MAX_RECEIVES,
        concurrency: int = 8,
    ) -> None:
        self.name, self.mode = name, mode
        self.visibility, self.max_receives, self.concurrency = visibility, max_receives, concurrency

    @property
    def handling_seconds(self) -> int:
        """Seconds that one delivery may take, in a process and in a function alike. Then the message is given back, so
        that a handler that hangs blocks neither its message nor its worker for ever."""
        return max(LEAST_HANDLING_SECONDS, self.visibility)

    @property
    @abstractmethod
    def pattern(self) -> dict[str, Any]:
        """The EventBridge pattern of its rule."""


class Subscription(_Base):
    """A subscription to our own events, by type.

    `mode="every"`: each fact counts; the inbox claims it in the same transaction as its effect. `mode="latest"`: only
    the newest state of an aggregate counts (projections); the store drops versions older than the one it has.
    """

    def __init__(
        self,
        name: str,
        *,
        mode: Mode = "every",
        visibility: int = 20,
        max_receives: int = MAX_RECEIVES,
        concurrency: int = 8,
    ) -> None:
        super().__init__(name, mode=mode, visibility=visibility, max_receives=max_receives, concurrency=concurrency)
        self.handlers: dict[str, tuple[type[BaseModel], UntypedHandler]] = {}
        self.any_handler: UntypedHandler | None = None

    def on(self, model: type[R]) -> Callable[[Handler[R, C]], Handler[R, C]]:
        """Register the handler of the event that `model` reads. Raises DeclarationError if the event has one
        already."""
        event_type = model.reads.event_type
        if event_type in self.handlers:
            raise DeclarationError(f"subscription {self.name} handles {event_type} twice")

        def register(function: Handler[R, C]) -> Any:
            self.handlers[event_type] = (model, function)
            return function

        return register

    def on_any(self, function: AnyHandler[C]) -> AnyHandler[C]:
        """Register the handler of every event that has no handler of its own."""
        self.any_handler = function
        return function

    @property
    def types(self) -> tuple[str, ...]:
        """The event types that it receives: those with a handler, and older versions that are upcast to these. So a
        consumer that moved to a new version misses nothing from a producer that was not deployed yet."""
        return tuple(sorted({*self.handlers, *(old for name in self.handlers for old in older_types(name))}))

    @property
    def pattern(self) -> dict[str, Any]:
        if self.any_handler:
            return {"source": [{"prefix": SOURCE_PREFIX}]}
        owners = sorted({SOURCE_PREFIX + event_type.split(".", 1)[0] for event_type in self.handlers})
        return {"source": owners, "detail-type": list(self.types)}


class ExternalSubscription(_Base):
    """A subscription to events of AWS itself, on the default bus.

    `source` and `detail_type` select them, `detail` narrows them to our own resources (intrinsics such as
    {"Ref": "Bucket"} are allowed), and `adapter` turns the parsed bus event into an `ExternalEvent`. The adapter raises
    `Rejected` for an event that it can never read.
    """

    def __init__(
        self,
        name: str,
        *,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        adapter: Callable[[dict[str, Any]], ExternalEvent],
        visibility: int = 20,
        max_receives: int = MAX_RECEIVES,
        concurrency: int = 8,
    ) -> None:
        super().__init__(name, visibility=visibility, max_receives=max_receives, concurrency=concurrency)
        self.source, self.detail_type, self.detail, self.adapter = source, detail_type, dict(detail), adapter
        self.handler: UntypedHandler | None = None

    def handle(self, function: UntypedHandler) -> UntypedHandler:
        """Register the one handler; it gets the adapter's `data`."""
        self.handler = function
        return function

    @property
    def pattern(self) -> dict[str, Any]:
        return {"source": [self.source], "detail-type": [self.detail_type], "detail": self.detail}


AnySubscription = Subscription | ExternalSubscription
