"""What is received and not yet running: a queue, or one lane a message group."""

from collections import deque

from faststream_sqs.record import Outcome, SQSRecord


class Buffer:
    """Hands out records in order; with `lanes`, one at a time of each group, and a group stops at its first failure."""

    def __init__(self, *, lanes: bool) -> None:
        self._lanes_wanted = lanes
        self._ready: deque[SQSRecord] = deque()
        self._lanes: dict[str, deque[SQSRecord]] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, record: SQSRecord) -> None:
        group = record.group if self._lanes_wanted else None
        if group is None:
            self._ready.append(record)
        elif group in self._lanes:
            self._lanes[group].append(record)
        else:
            self._lanes[group] = deque()
            self._ready.append(record)

    def take(self, limit: int = 1) -> list[SQSRecord]:
        """The next record, or up to `limit` together.

        Together go only first deliveries: what failed before comes alone, so that poison takes nobody with it.
        """
        taken = [self._ready.popleft()]
        if limit > 1 and taken[0].receive_count == 1:
            while self._ready and len(taken) < limit and self._ready[0].receive_count == 1:
                taken.append(self._ready.popleft())
        return taken

    def done(self, record: SQSRecord) -> list[SQSRecord]:
        """After `record` was settled: its lane goes on, or (it failed) is dissolved and returned, to be given back."""
        group = record.group if self._lanes_wanted else None
        if group is None or group not in self._lanes:
            return []
        lane = self._lanes[group]
        if record.outcome in (Outcome.ACKED, Outcome.REJECTED) and lane:
            self._ready.append(lane.popleft())
            return []
        del self._lanes[group]
        return list(lane)

    def clear(self) -> list[SQSRecord]:
        """Everything that is not running."""
        rest = [*self._ready, *(record for lane in self._lanes.values() for record in lane)]
        self._ready.clear()
        self._lanes.clear()
        return rest
