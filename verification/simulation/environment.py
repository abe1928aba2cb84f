"""What networks, machines and operators do: deliver in any order, twice or late; die; throttle; redrive."""

import json
from collections.abc import Callable

from verification.simulation.client import Client
from verification.simulation.process import SERVICES, handled_types
from verification.simulation.queues import DeadLetter, Queue
from verification.simulation.violations import Violation
from verification.simulation.wire import Fault, FaultKind

PAUSES = (1, 5, 31, 301)
"""Seconds: a moment, longer than the sweeper waits, than every visibility, than every back-off."""
ROUNDS = 80
"""In which a system without faults comes to rest: more than the receives of any subscription."""
POISON = (
    "this is no JSON #{0}",
    '{{"nothing": {0}}}',
    '{{"source": "tenfold.tasks", "detail-type": "tasks.task.moved.v9", "detail": {{"id": "{0}"}}}}',
    '{{"source": "aws.s3", "detail-type": "Object Created", "detail": {{"object": {{"key": "elsewhere/{0}"}}}}}}',
)


class Environment:
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
        """A few messages of one queue, from anywhere in it, at once."""
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
        """A service goes back to what it was before it handled one type of event, of which more may be on the way."""
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
        """EventBridge delivers at least once: some event of the past comes again, to everybody."""
        known = [event_id for event_id in self._state.committed if self._state.published[event_id]]
        if known:
            envelope = json.loads(self._state.committed[known[a % len(known)]])
            self._world.emit({"source": envelope["source"], "detail-type": envelope["type"], "detail": envelope})

    def expire(self, a: int, b: int) -> None:
        """What is being handled becomes visible: its consumer was too slow."""
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
        place = ("table", "bus.put", "queue", "mail")[a % 4]
        self._world.wire.armed += [Fault(FaultKind.REFUSE, 0, place) for _ in range(3 + b % 8)]

    def exhaust(self, a: int, b: int) -> None:
        """The deletions of a queue are lost until what is in it has used up its receives, handled or not."""
        busy = [queue for queue in self._state.queues.values() if queue.messages]
        if not busy:
            return
        queue = busy[a % len(busy)]
        place = f"{queue.name}.queue.delete"
        for _ in range(queue.max_receives + 1):
            self.expire(0, 0)
            visible = queue.visible(self._state.clock.now())
            self._world.wire.armed += [Fault(FaultKind.REFUSE, 0, place) for _ in visible]
            self._world.receive(queue, visible)
        self._world.wire.armed = [fault for fault in self._world.wire.armed if fault.place != place]

    def redrive(self, a: int, b: int) -> None:
        """An operator sends everything back, poison too."""
        for queue in self._state.queues.values():
            self.send_back(queue, lambda _: True)

    # --- an operator's hands

    def send_back(self, queue: Queue, wanted: Callable[[DeadLetter], bool]) -> None:
        letters = [letter for letter in queue.dead if wanted(letter)]
        queue.dead = [letter for letter in queue.dead if not wanted(letter)]
        for letter in letters:
            self.check_letter(queue, letter)
            queue.send(self._body_again(letter), self._state.clock.now())

    def _body_again(self, letter: DeadLetter) -> str:
        """The message as it was, with the event's id by which its consumer knows it."""
        return letter.body

    def check_letter(self, queue: Queue, letter: DeadLetter) -> None:
        """Only poison is rejected, and what an older deployment has no handler for; the rest used up its receives."""
        rejected = letter.body in self._state.poison or "has no handler for" in (letter.reason or "")
        if not rejected and letter.receives < queue.max_receives:
            told = f"{queue.name} gave up after {letter.receives} receives: {letter.reason}\n{letter.body}"
            raise Violation("dead letters", told)

    def drain(self) -> None:
        """Let faults end, and everything come to rest. Raises Violation if it never does."""
        self._world.wire.armed.clear()
        self.deploy_newest(0, 0)
        for _ in range(ROUNDS):
            self._world.resume()
            for command in self._client.ledger.open:
                if command.number % 2 or command.tries < 2:  # some clients give up: that is nobody's loss
                    self._client.send(command)
            self._world.advance(5)
            for service in SERVICES:
                self._world.publish(service)
                if self._world.outbox_of(service):
                    self._world.sweep(service)
            self.deliver_all(0, 0)
            self._world.run_schedules("audit")
            for queue in self._state.queues.values():
                self.send_back(queue, lambda letter: letter.body not in self._state.poison)
            if self._at_rest():
                return
            self._skip_waiting()
        left = {
            queue.name: list(queue.messages.values())[:3] for queue in self._state.queues.values() if queue.messages
        }
        raise Violation("stuck", f"after {ROUNDS} rounds without a fault there is still {left}")

    def _at_rest(self) -> bool:
        if any(queue.messages for queue in self._state.queues.values()):
            return False
        return not any(self._world.outbox_of(service) for service in SERVICES)

    def _skip_waiting(self) -> None:
        """To the time at which the first hidden message can be received."""
        waiting = [m.visible_at for queue in self._state.queues.values() for m in queue.messages.values()]
        if waiting and min(waiting) > self._state.clock.now():
            self._world.advance((min(waiting) - self._state.clock.now()).total_seconds())

    def _busy(self) -> list[Queue]:
        """Queues with something to deliver. If there is none, what waits to be published comes first."""
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
    if not name.startswith("_") and name not in {"send_back", "check_letter", "drain"}
)
