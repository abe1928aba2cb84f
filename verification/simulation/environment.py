"""Steps of networks, machines and operators: deliver in any order, twice or late; crash; throttle; redrive."""

import json
from collections.abc import Callable

from verification.simulation.client import Client
from verification.simulation.process import SERVICES, handled_types
from verification.simulation.queues import DeadLetter, Queue
from verification.simulation.violations import Violation
from verification.simulation.wire import Fault, FaultKind

PAUSES = (1, 5, 31, 301)
"""Seconds: a moment; longer than the sweeper waits, than any visibility timeout, than any backoff."""
ROUNDS = 80
"""Rounds in which a system without faults comes to rest: more than the receives of any subscription."""
POISON = (
    "not JSON #{0}",
    '{{"nothing": {0}}}',
    '{{"source": "tenfold.tasks", "detail-type": "tasks.task.moved.v9", "detail": {{"id": "{0}"}}}}',
    '{{"source": "aws.s3", "detail-type": "Object Created", "detail": {{"object": {{"key": "elsewhere/{0}"}}}}}}',
)


class Environment:
    """Every step of the environment, by its name."""

    def __init__(self, client: Client) -> None:
        self._client, self._world, self._state = client, client.world, client.world.state

    # --- steps

    def publish(self, a: int, b: int) -> None:
        self._world.publish(_service(a))

    def publish_all(self, a: int, b: int) -> None:
        for service in SERVICES:
            self._world.publish(service)

    def sweep(self, a: int, b: int) -> None:
        self._world.sweep(_service(a))

    def seal(self, a: int, b: int) -> None:
        self._world.run_schedules("audit", times=1 + b % 2)

    def deliver(self, a: int, b: int) -> None:
        """Deliver a few messages at once, from anywhere in one queue."""
        if busy := self._busy():
            queue = busy[a % len(busy)]
            visible = queue.visible(self._state.clock.now())
            start = b % len(visible)
            self._world.receive(queue, visible[start : start + 1 + b % 4])

    def deliver_all(self, a: int, b: int) -> None:
        self._busy()
        for queue in self._queues(a):
            visible = queue.visible(self._state.clock.now())
            self._world.chance.shuffle(visible)
            if visible:
                self._world.receive(queue, visible)

    def advance(self, a: int, b: int) -> None:
        self._world.advance(PAUSES[a % len(PAUSES)])

    def crash(self, a: int, b: int) -> None:
        self._world.trouble = True
        self._world.crash(_service(a))

    def deploy_older(self, a: int, b: int) -> None:
        """Roll a service back to a version without a handler for one type of event, of which more may be on the way."""
        service = _service(a)
        if types := handled_types(service):
            self._world.trouble = True
            self._world.deploy(service, types[b % len(types)])

    def deploy_newest(self, a: int, b: int) -> None:
        for service in list(self._state.unknown):
            self._world.trouble = True
            self._world.deploy(service, None)

    def resume(self, a: int, b: int) -> None:
        self._world.resume()

    def duplicate(self, a: int, b: int) -> None:
        """Deliver a past event again, to every subscriber: EventBridge delivers at least once."""
        past = [event_id for event_id in self._state.committed if self._state.published[event_id]]
        if past:
            envelope = json.loads(self._state.committed[past[a % len(past)]])
            self._world.emit({"source": envelope["source"], "detail-type": envelope["type"], "detail": envelope})

    def expire(self, a: int, b: int) -> None:
        """Make messages in flight visible, as if their consumers were too slow."""
        self._world.trouble, now = True, self._state.clock.now()
        for queue in self._state.queues.values():
            for message in queue.messages.values():
                message.visible_at = min(message.visible_at, now)

    def poison(self, a: int, b: int) -> None:
        queue = self._queues(0)[a % len(self._state.queues)]
        body = POISON[b % len(POISON)].format(len(self._state.poison) + 1)
        self._state.poison[body] = queue.name
        queue.send(body, self._state.clock.now())

    def throttle(self, a: int, b: int) -> None:
        operation = ("table", "bus.put", "queue", "mail")[a % 4]
        self._world.wire.armed += [Fault(FaultKind.REFUSE, 0, operation) for _ in range(3 + b % 8)]

    def exhaust(self, a: int, b: int) -> None:
        """Lose the deletions of a queue until its messages have used up their receives, handled or not."""
        busy = [queue for queue in self._state.queues.values() if queue.messages]
        if not busy:
            return
        queue = busy[a % len(busy)]
        operation = f"{queue.name}.queue.delete"
        for _ in range(queue.max_receives + 1):
            self.expire(0, 0)
            visible = queue.visible(self._state.clock.now())
            self._world.wire.armed += [Fault(FaultKind.REFUSE, 0, operation) for _ in visible]
            self._world.receive(queue, visible)
        self._world.wire.armed = [fault for fault in self._world.wire.armed if fault.operation != operation]

    def redrive(self, a: int, b: int) -> None:
        """Redrive every dead letter, poison too."""
        for queue in self._state.queues.values():
            self.redrive_matching(queue, lambda _: True)

    # --- operators

    def redrive_matching(self, queue: Queue, wanted: Callable[[DeadLetter], bool]) -> None:
        dead_letters = [dead_letter for dead_letter in queue.dead_letters if wanted(dead_letter)]
        queue.dead_letters = [dead_letter for dead_letter in queue.dead_letters if not wanted(dead_letter)]
        for dead_letter in dead_letters:
            self.check_dead_letter(queue, dead_letter)
            queue.send(self._redriven_body(dead_letter), self._state.clock.now())

    def _redriven_body(self, dead_letter: DeadLetter) -> str:
        """The unchanged body, with the event id by which its consumer recognizes it."""
        return dead_letter.body

    def check_dead_letter(self, queue: Queue, dead_letter: DeadLetter) -> None:
        """Check that a dead letter is poison, was unknown to an older deployment, or has used up its receives."""
        rejected = dead_letter.body in self._state.poison or "has no handler for" in (dead_letter.reason or "")
        if not rejected and dead_letter.receives < queue.max_receives:
            detail = (
                f"{queue.name} gave up after {dead_letter.receives} receives: {dead_letter.reason}\n{dead_letter.body}"
            )
            raise Violation("dead letters", detail)

    def drain(self) -> None:
        """End all faults and run until everything is at rest. Raises Violation if it never is."""
        self._world.wire.armed.clear()
        self.deploy_newest(0, 0)
        for _ in range(ROUNDS):
            self._world.resume()
            for command in self._client.ledger.open:
                if command.number % 2 or command.tries < 2:  # some clients give up, which loses nothing
                    self._client.send(command)
            self._world.advance(5)
            for service in SERVICES:
                self._world.publish(service)
                if self._world.outbox_of(service):
                    self._world.sweep(service)
            self.deliver_all(0, 0)
            self._world.run_schedules("audit")
            for queue in self._state.queues.values():
                self.redrive_matching(queue, lambda dead_letter: dead_letter.body not in self._state.poison)
            left = {
                queue.name: list(queue.messages.values())[:3] for queue in self._state.queues.values() if queue.messages
            }
            if not left and not any(self._world.outbox_of(service) for service in SERVICES):
                return
            self._skip_waiting()
        raise Violation("stuck", f"after {ROUNDS} rounds without a fault there is still {left}")

    def _skip_waiting(self) -> None:
        """Advance the clock to the time at which the first invisible message can be received."""
        waiting = [m.visible_at for queue in self._state.queues.values() for m in queue.messages.values()]
        if waiting and min(waiting) > self._state.clock.now():
            self._world.advance((min(waiting) - self._state.clock.now()).total_seconds())

    def _busy(self) -> list[Queue]:
        """Queues with visible messages. If there are none, waiting events are published first."""
        for _ in range(2):
            if busy := [queue for queue in self._state.queues.values() if queue.visible(self._state.clock.now())]:
                return busy
            self.publish_all(0, 0)
        return []

    def _queues(self, a: int) -> list[Queue]:
        queues = list(self._state.queues.values())
        start = a % len(queues)
        return queues[start:] + queues[:start]


def _service(number: int) -> str:
    return SERVICES[number % len(SERVICES)]


ENVIRONMENT = tuple(
    name
    for name in vars(Environment)
    if not name.startswith("_") and name not in {"redrive_matching", "check_dead_letter", "drain"}
)
