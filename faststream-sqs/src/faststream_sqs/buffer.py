"""The buffer of received messages that are not running yet: groups take turns, and FIFO groups have lanes."""

from collections import deque
from collections.abc import Callable

from faststream_sqs.record import Outcome, SQSRecord

GroupOf = Callable[[SQSRecord], str | None]


class FairQueue:
    """A round-robin queue: groups take turns, so that a group with many records delays the others by one record only.

    Without `group_of` all records are one group: first in, first out.
    """

    def __init__(self, group_of: GroupOf | None) -> None:
        self._group_of = group_of
        self._waiting: dict[str | None, deque[SQSRecord]] = {}
        self._order: deque[str | None] = deque()

    def __bool__(self) -> bool:
        return bool(self._order)

    def append(self, record: SQSRecord) -> None:
        group = self._group_of(record) if self._group_of is not None else None
        if group in self._waiting:
            self._waiting[group].append(record)
        else:
            self._waiting[group] = deque((record,))
            self._order.append(group)

    def first(self) -> SQSRecord:
        return self._waiting[self._order[0]][0]

    def popleft(self) -> SQSRecord:
        group = self._order.popleft()
        waiting = self._waiting[group]
        record = waiting.popleft()
        if waiting:
            self._order.append(group)
        else:
            del self._waiting[group]
        return record

    def clear(self) -> list[SQSRecord]:
        """Removes and returns all records."""
        rest = [record for waiting in self._waiting.values() for record in waiting]
        self._waiting.clear()
        self._order.clear()
        return rest


class Buffer:
    """A buffer that gives out records in order, or by turns of the groups of `group_of`.

    With `lanes`, it gives out one record of a message group at a time, and a group stops at its first failure.
    """

    def __init__(self, *, lanes: bool, group_of: GroupOf | None = None) -> None:
        self._lanes_wanted = lanes
        self._ready = FairQueue(group_of)
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
        """The next record, or a batch of up to `limit`.

        A batch has only first deliveries: a record that failed before comes alone, so that a poison message does not
        take others with it.
        """
        taken = [self._ready.popleft()]
        if limit > 1 and taken[0].receive_count == 1:
            while self._ready and len(taken) < limit and self._ready.first().receive_count == 1:
                taken.append(self._ready.popleft())
        return taken

    def advance(self, record: SQSRecord) -> list[SQSRecord]:
        """Continues the lane of a settled record, or returns the lane, to be given back, if the record failed."""
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
        """Removes and returns all records that are not running."""
        rest = [*self._ready.clear(), *(record for lane in self._lanes.values() for record in lane)]
        self._lanes.clear()
        return rest
