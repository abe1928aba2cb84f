"""One process of a service with its real code, from its start to its crash."""

from collections.abc import Callable, Coroutine, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from fastapi import FastAPI
from faststream_sqs import SQSMessage

from chassis.clock import Clock, Ids
from chassis.declare.service import Service, load, service
from chassis.declare.subscription import AnySubscription, Subscription
from chassis.errors import Rejected, Retryable, TenfoldError
from chassis.http.app import make_app
from chassis.http.state import ApiState
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.messaging.worker import acknowledge
from chassis.storage.cursors import CursorKeys
from chassis.storage.rate_limit_store import RateLimitStore
from chassis.storage.table import WriteOperation
from chassis.testing.service import FixedKeys
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox, OutboxEntry
from verification.simulation.asgi import Answer, ask
from verification.simulation.backends import LaggingTable, WiredBus, WiredMessage, WiredTable
from verification.simulation.loop import shared_loop
from verification.simulation.ports import PlainVerifier
from verification.simulation.wire import Life, Wire

SERVICES = ("identity", "tenancy", "tasks", "notify", "files", "audit", "analytics")


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of a process at its start.

    `deliver` gets entries that the bus accepted, `on_commit` the writes that a table executed; `unknown` is the type of
    event that an older deployment has no handler for.
    """

    wire: Wire
    clock: Clock
    ids: Ids
    table: LaggingTable
    deliver: Callable[[OutboxEntry], None]
    on_commit: Callable[[Sequence[WriteOperation]], None]
    ports: Callable[[Life], dict[type, object]]
    bugs: list[str]
    unknown: str | None = None


class WatchedDispatcher(Dispatcher):
    """A dispatcher that records errors that no handler should raise."""

    def __init__(self, context: ServiceContext, subscription: AnySubscription, bugs: list[str]) -> None:
        super().__init__(context, subscription)
        self._bugs = bugs

    async def handle(self, delivery: Delivery) -> None:
        try:
            await super().handle(delivery)
        except (Rejected, Retryable):
            raise
        except Exception as error:
            self._bugs.append(f"{self.consumer} raised {error!r}")
            raise


class Process:
    """A running process: its life, and the entry points that the simulation calls."""

    def __init__(self, name: str, around: Surroundings) -> None:
        declared, self.life, self._bugs = declaration(name), Life(name), around.bugs
        table = WiredTable(around.wire, self.life, around.table, around.on_commit)
        self.outbox = Outbox(table, WiredBus(around.wire, self.life, around.deliver), around.clock)
        available = around.ports(self.life)
        ports = {CursorKeys: FixedKeys(), RateLimitStore: table, **{port: available[port] for port in declared.ports}}
        self.context = ServiceContext(name, table, self.outbox, around.clock, around.ids, ports)
        self._api_state = ApiState(self.context, PlainVerifier())
        self._schedules = [load(schedule.task) for schedule in declared.schedules]
        self._settle = {
            each.name: acknowledge(
                WatchedDispatcher(self.context, older_subscription(each, around.unknown), around.bugs)
            )
            for each in subscriptions_of(name)
        }

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start `work`; it ends with the process at the latest."""
        task = shared_loop().create_task(work)
        self.life.tasks.add(task)
        task.add_done_callback(self._check_end)

    async def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        app = app_of(self.life.service)
        app.state.api = self._api_state
        answer = await ask(app, method, path, headers, body)
        if answer.status == 500:
            self._bugs.append(f"{method} {path} crashed: {answer.body!r}")
        return answer

    async def handle(self, subscription: str, message: WiredMessage) -> None:
        await self._settle[subscription](cast("SQSMessage", message))

    async def publish(self) -> None:
        await self.outbox.flush()

    async def sweep(self) -> None:
        await self._run_scheduled(self.outbox.sweep())

    async def run_schedules(self) -> None:
        for task in self._schedules:
            await self._run_scheduled(task(self.context))

    async def _run_scheduled(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a task as chassis.runtime.process does: after an expected error, it waits for its next turn."""
        try:
            await work
        except TenfoldError:
            return
        except Exception as error:  # noqa: BLE001
            self._bugs.append(f"a schedule of {self.life.service} raised {error!r}")

    def _check_end(self, task: Any) -> None:
        self.life.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._bugs.append(f"a task of {self.life.service} died of {error!r}")


@cache
def declaration(name: str) -> Service:
    return service(name)


@cache
def subscriptions_of(name: str) -> tuple[AnySubscription, ...]:
    return tuple(declaration(name).load_subscriptions())


def older_subscription(subscription: AnySubscription, unknown: str | None) -> AnySubscription:
    """The subscription in a version without a handler for events of the type `unknown`."""
    if not isinstance(subscription, Subscription) or unknown not in subscription.handlers:
        return subscription
    older = copy(subscription)
    older.handlers = {name: handler for name, handler in subscription.handlers.items() if name != unknown}
    return older


def handled_types(name: str) -> list[str]:
    """The types of events that the service has handlers for."""
    subscriptions = [each for each in subscriptions_of(name) if isinstance(each, Subscription)]
    return sorted({event_type for each in subscriptions for event_type in each.handlers})


@cache
def app_of(name: str) -> FastAPI:
    """One app for all processes of a service: only its state changes, and making it takes longer than a journey."""

    async def ready() -> str | None:
        return None

    return make_app(declaration(name), ApiState(cast("ServiceContext", None), PlainVerifier()), ready)
