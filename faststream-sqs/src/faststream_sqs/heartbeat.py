"""Keeps what is held invisible to others."""

from collections.abc import Callable, Iterable

from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import MAX_VISIBILITY

# prolong when half of the time is over: one failed attempt can be repeated before it runs out
REMAINING_SHARE = 0.5
BEATS_PER_VISIBILITY = 5


class Heartbeat:
    """Says whose visibility must be prolonged now, and by how much; SQS allows 12 hours from the delivery."""

    def __init__(self, visibility: int, now: Callable[[], float], given_up: Callable[[SQSRecord], None]) -> None:
        self._visibility = visibility
        self._now = now
        self._given_up = given_up
        self._tired: set[str] = set()

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return max(0.2, self._visibility / BEATS_PER_VISIBILITY)

    def hold(self, record: SQSRecord) -> None:
        record.received_at = self._now()
        record.expires_at = record.received_at + self._visibility

    def due(self, held: Iterable[SQSRecord]) -> list[tuple[SQSRecord, int]]:
        now = self._now()
        found = []
        for record in held:
            if record.expires_at - now > self._visibility * REMAINING_SHARE or record.receipt_handle in self._tired:
                continue
            seconds = min(self._visibility, int(MAX_VISIBILITY - (now - record.received_at)))
            if seconds >= 1:
                found.append((record, seconds))
            else:
                self._tired.add(record.receipt_handle)
                self._given_up(record)
        return found

    def prolonged(self, record: SQSRecord, seconds: int) -> None:
        record.expires_at = self._now() + seconds

    def forget(self, record: SQSRecord) -> None:
        self._tired.discard(record.receipt_handle)
