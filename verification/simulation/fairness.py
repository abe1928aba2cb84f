"""Proves that a flooding organization hardly delays a quiet one, in simulated time.

    python -m verification.simulation.fairness

It takes seconds and prints how much longer the quiet organization waits (p95) beside one that sends a hundred times as
many messages, for each combination of a fair or a plain queue and a worker whose organizations take turns or not. (An
SQS fair queue first hands out messages of the group with the fewest in flight; the embedded AWS cannot show that.) The
worker's buffer is the real one, and it is filled as by the real pollers.
"""

import heapq
import random
import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from faststream_sqs import SQSRecord
from faststream_sqs.buffer import Buffer
from faststream_sqs.options import BATCH

from chassis.messaging.worker import PREFETCH_PER_WORKER

QUIET, NOISY = "quiet", "noisy"
WORKERS = 8
HANDLING = 0.05
"""Seconds that a handler takes, plus or minus a fifth."""
BUS, POLL = 0.1, 0.005
"""Seconds from the commit to the queue, and of a receive call that returns something."""
QUIET_EVERY, SECONDS = 0.5, 120.0


@dataclass
class FairQueue:
    """A queue of message groups: with SQS's fair order if `fair`, otherwise first in, first out."""

    fair: bool
    waiting: dict[str, deque[tuple[int, SQSRecord]]] = field(default_factory=dict)
    in_flight: Counter[str] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=count)

    def send(self, record: SQSRecord) -> None:
        self.waiting.setdefault(group_of(record), deque()).append((next(self._numbers), record))

    def receive(self, most: int) -> list[SQSRecord]:
        taken: list[SQSRecord] = []
        while len(taken) < most and (groups := [group for group, queue in self.waiting.items() if queue]):
            chosen = min(groups, key=lambda group: (self.in_flight[group] * self.fair, self.waiting[group][0][0]))
            taken.append(self.waiting[chosen].popleft()[1])
            self.in_flight[chosen] += 1
        return taken

    def delete(self, record: SQSRecord) -> None:
        self.in_flight[group_of(record)] -= 1


def group_of(record: SQSRecord) -> str:
    return record.body.partition("-")[0]


class QueueSimulation:
    """Sends, polls, buffers and handles messages until all of them are handled."""

    def __init__(self, *, skew: int, fair_queue: bool, turns: bool, seed: int = 1) -> None:
        self._queue = FairQueue(fair_queue)
        self._buffer = Buffer(lanes=False, group_of=group_of if turns else None)
        self._dice = random.Random(seed)
        self._agenda: list[tuple[float, int, str, SQSRecord | None]] = []
        self._numbers = count()
        self._buffered = self._running = 0
        self._polling = False
        self._sent: dict[str, float] = {}
        self.waited: list[float] = []
        """Seconds from commit to effect for each message of the quiet organization."""
        for at in range(int(SECONDS / QUIET_EVERY)):
            self._send(QUIET, at * QUIET_EVERY)
        for at in range(int(SECONDS / QUIET_EVERY) * skew):
            self._send(NOISY, at * QUIET_EVERY / skew)

    def play(self) -> "QueueSimulation":
        while self._agenda:
            now, _, step, record = heapq.heappop(self._agenda)
            if step == "arrive" and record is not None:
                self._queue.send(record)
            elif step == "receive":
                self._polling = False
                for received in self._queue.receive(BATCH):
                    self._buffered += 1
                    self._buffer.add(received)
            elif record is not None:
                self._finish(record, now)
            while self._buffer and self._running < WORKERS:
                [next_record] = self._buffer.take()
                self._running += 1
                self._schedule(now + HANDLING * self._dice.uniform(0.8, 1.2), "finish", next_record)
            self._poll(now)
        return self

    def _send(self, group: str, at: float) -> None:
        record = SQSRecord("q", f"{group}-{next(self._numbers)}")
        self._sent[record.body] = at
        self._schedule(at + BUS, "arrive", record)

    def _poll(self, now: float) -> None:
        """Poll as the real pollers do: full batches, one call at a time; and only if it would return something."""
        room = WORKERS * PREFETCH_PER_WORKER - self._buffered
        if not self._polling and room >= BATCH and any(self._queue.waiting.values()):
            self._polling = True
            self._schedule(now + POLL, "receive", None)

    def _finish(self, record: SQSRecord, now: float) -> None:
        self._running -= 1
        self._buffered -= 1
        self._queue.delete(record)
        if group_of(record) == QUIET:
            self.waited.append(now - self._sent[record.body])

    def _schedule(self, at: float, step: str, record: SQSRecord | None) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), step, record))


def p95(waited: list[float]) -> float:
    return sorted(waited)[int(len(waited) * 0.95)]


def ratio(*, skew: int, fair_queue: bool, turns: bool) -> float:
    """The p95 of the quiet organization beside the noisy one, divided by its p95 alone."""
    alone = QueueSimulation(skew=0, fair_queue=fair_queue, turns=turns).play()
    beside = QueueSimulation(skew=skew, fair_queue=fair_queue, turns=turns).play()
    return p95(beside.waited) / p95(alone.waited)


def main() -> int:
    for fair_queue, turns in ((True, True), (True, False), (False, True), (False, False)):
        label = f"{'fair' if fair_queue else 'plain'} queue, {'turns' if turns else 'no turns'} in the worker"
        print(f"{label:<40} {ratio(skew=100, fair_queue=fair_queue, turns=turns):8.2f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
