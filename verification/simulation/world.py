"""The world: the state that survives every process, and what can happen to it. Nothing happens by itself."""

import json
import pickle
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from chassis.storage.table import Item, Put, WriteOperation
from chassis.testing.service import FakeClock
from chassis.work.outbox import OutboxEntry
from tests.services.files.fakes import BUCKET
from tests.services.identity.fakes import ProviderInMemory
from verification.simulation.asgi import Answer
from verification.simulation.backends import LaggingTable, QueueDown, WiredMessage
from verification.simulation.ledger import Ledger
from verification.simulation.loop import shared_loop
from verification.simulation.ports import Outside, PlainIssuer, ports_of
from verification.simulation.process import SERVICES, Process, Surroundings, subscriptions_of
from verification.simulation.queues import Message, Queue, matches
from verification.simulation.wire import Wire

MAX_CANCELLATIONS = 50
"""Cancellations that the tasks of a dead process may take to end; one that needs more never ends."""


class Ids:
    """Ids like UUIDv7: in creation order, beginning with the simulated time, by which the sweeper finds them."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock, self._count = clock, 0

    def new(self, prefix: str = "") -> str:
        self._count += 1
        bare = f"{int(self._clock.now().timestamp() * 1000):012x}{self._count:020x}"
        return f"{prefix}_{bare}" if prefix else bare


@dataclass
class State:
    """State of a world. It can be pickled, so that many runs can start from one snapshot.

    `committed` are the events (id -> detail) of committed transactions, `published` is how often the bus accepted each:
    the checks start from them.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    tables: dict[str, LaggingTable] = field(default_factory=lambda: {name: LaggingTable() for name in SERVICES})
    queues: dict[str, Queue] = field(default_factory=dict)
    outside: Outside = field(default_factory=Outside)
    committed: dict[str, str] = field(default_factory=dict)
    published: Counter[str] = field(default_factory=Counter)
    verified: dict[str, int] = field(default_factory=dict)
    """Organization -> number of events in its chain when it was last verified."""
    ledger: Ledger = field(default_factory=Ledger)
    poison: dict[str, str] = field(default_factory=dict)
    """Body -> queue into which it was put."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Service -> type of event for which its present deployment has no handler."""
    ids: Ids = field(init=False)
    provider: ProviderInMemory = field(init=False)

    def __post_init__(self) -> None:
        self.ids = Ids(self.clock)
        self.provider = ProviderInMemory(PlainIssuer(), self.tables["identity"], self.clock)
        for name in SERVICES:
            for subscription in subscriptions_of(name):
                queue = Queue.of(name, subscription)
                self.queues[queue.name] = queue


class World:
    """A world with its processes.

    With `background`, processes publish their commits at once, as long-lived ones do; without it, publishing is a step
    of its own, so that a crash may come before it.
    """

    def __init__(self, seed: int, snapshot: bytes | None = None, *, background: bool = False) -> None:
        self.state: State = pickle.loads(snapshot) if snapshot else State()
        self.chance = random.Random(seed)
        random.seed(seed)  # the services' own jitter
        self.wire = Wire(self.chance)
        self.bugs: list[str] = []
        self.trouble = False
        """Whether something happened after which a message may be delivered twice."""
        self._processes: dict[str, Process] = {}
        self._background = background
        self._loop = shared_loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self.crash(name)

    def snapshot(self) -> bytes:
        """State from which another world can start. Only valid while nothing runs."""
        return pickle.dumps(self.state)

    # --- events

    def request(
        self, service: str, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[Answer | None, bool]:
        """Send a request. Returns the answer, if there is one, and whether the request is still running."""
        process = self._process(service)
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await process.answer(method, path, headers, body))

        process.spawn(ask())
        self._run()
        return (answers[0] if answers else None), not answers and not process.life.dead

    def publish(self, service: str) -> None:
        self._do(service, Process.publish)

    def sweep(self, service: str) -> None:
        self._do(service, Process.sweep)

    def run_schedules(self, service: str, *, times: int = 1) -> None:
        """Run a service's schedules; with `times`, several times at once, as several processes would."""
        process = self._process(service)
        for _ in range(times):
            process.spawn(process.run_schedules())
        self._run()

    def receive(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Receive these messages with one call and handle them concurrently."""
        service, _, subscription = queue.name.partition(".")
        process = self._process(service)
        process.spawn(self._receive_messages(process, queue, subscription, [message.id for message in messages]))
        self._run()

    def crash(self, service: str) -> None:
        process = self._processes.get(service)
        if process is not None:
            process.life.dead = True
            self._remove_dead()

    def deploy(self, service: str, unknown: str | None) -> None:
        """Deploy a version of the service without a handler for `unknown`; with None, the newest version."""
        self.state.unknown.pop(service, None)
        if unknown is not None:
            self.state.unknown[service] = unknown
        self.crash(service)

    def resume(self) -> None:
        self.wire.resume()
        self._run()

    def emit(self, event: dict[str, Any], *, copies: int = 1) -> None:
        """Deliver an event over the bus: send it to the queue of each subscription whose rule matches."""
        body = json.dumps(event, sort_keys=True)
        for name in SERVICES:
            for subscription in subscriptions_of(name):
                if matches(subscription.pattern, event, {"Bucket": BUCKET}):
                    for _ in range(copies):
                        self.state.queues[f"{name}.{subscription.name}"].send(body, self.state.clock.now())

    def advance(self, seconds: float) -> None:
        self.state.clock.advance(seconds=seconds)

    # --- state

    def items(self, service: str, kind: str) -> list[Item]:
        """Every item of a kind, of every organization."""
        part = f"#{kind}#"
        return [item for key, item in self.state.tables[service].items.items() if part in f"{key.pk}#"]

    def outbox_of(self, service: str) -> list[Item]:
        return [item for key, item in self.state.tables[service].items.items() if key.pk.startswith("OUTBOX#")]

    # --- inside

    def _process(self, name: str) -> Process:
        process = self._processes.get(name)
        if process is None:
            state = self.state
            surroundings = Surroundings(
                wire=self.wire,
                clock=state.clock,
                ids=state.ids,
                table=state.tables[name],
                deliver=self._deliver,
                on_commit=self._record_commit,
                ports=lambda life: ports_of(self.wire, life, state.outside, state.provider),
                bugs=self.bugs,
                unknown=state.unknown.get(name),
            )
            process = self._processes[name] = Process(name, surroundings)
            if self._background:
                process.spawn(process.outbox.run())
        return process

    def _do(self, service: str, work: Callable[[Process], Coroutine[Any, Any, None]]) -> None:
        process = self._process(service)
        process.spawn(work(process))
        self._run()

    async def _receive_messages(self, process: Process, queue: Queue, subscription: str, ids: Sequence[str]) -> None:
        wire, clock = self.wire, self.state.clock

        async def work() -> list[tuple[Message, int]]:
            taken = [queue.take(message_id, clock.now()) for message_id in ids]
            return [each for each in taken if each is not None]

        try:
            received = await wire.call(process.life, f"{queue.name}.queue.receive", work, QueueDown)
        except QueueDown:
            return
        for message, handle in received:
            receipt = WiredMessage.of(wire, process.life, clock, queue, message, handle)
            process.spawn(process.handle(subscription, receipt))

    def _run(self) -> None:
        self._loop.run_until_idle()
        self._remove_dead()

    def _remove_dead(self) -> None:
        for name, process in list(self._processes.items()):
            if process.life.dead:
                del self._processes[name]
                self._cancel(process)

    def _cancel(self, process: Process) -> None:
        for _ in range(MAX_CANCELLATIONS):
            if not process.life.tasks:
                return
            for task in list(process.life.tasks):
                task.cancel()
            self._loop.run_until_idle()
        raise AssertionError(f"{process.life.tasks} of {process.life.service} do not end")

    def _record_commit(self, operations: Sequence[WriteOperation]) -> None:
        for operation in operations:
            # Found by content, not by key, so that events that are published from memory only are missed, too.
            if isinstance(operation, Put) and {"source", "type", "detail"} <= operation.item.keys():
                self.state.committed[operation.key.sk] = operation.item["detail"]

    def _deliver(self, entry: OutboxEntry) -> None:
        self.state.published[entry.event_id] += 1
        self.emit({"source": entry.source, "detail-type": entry.event_type, "detail": json.loads(entry.detail)})
