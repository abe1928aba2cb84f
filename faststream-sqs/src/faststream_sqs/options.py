"""Options of consumption."""

from dataclasses import dataclass, field

from faststream_sqs.buffer import GroupOf
from faststream_sqs.schemas import Backoff

BATCH = 10
LONGEST_POLL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """Options for consuming a queue. Times are in seconds.

    At most `max_workers` handlers run at once, each with at most `batch_size` messages, and at most `prefetch` messages
    are held, running or buffered (None: what the workers can take, plus ten per poller, plus ten). `linger` is the time
    that a delete waits for others to share its call. With `fair_by`, the groups that it returns take turns among the
    messages that are held.
    """

    max_workers: int = 1
    batch_size: int = 1
    pollers: int = 1
    prefetch: int | None = None
    wait: int = LONGEST_POLL
    heartbeat: bool = True
    linger: float = 0.02
    backoff: Backoff = field(default_factory=Backoff)
    fair_by: GroupOf | None = None

    def __post_init__(self) -> None:
        if min(self.max_workers, self.batch_size, self.pollers, 1 if self.prefetch is None else self.prefetch) < 1:
            raise ValueError("max_workers, max_records, pollers and prefetch must be at least 1")
        if not 0 <= self.wait <= LONGEST_POLL:
            raise ValueError("wait must be between 0 and 20 seconds")

    @property
    def held_at_most(self) -> int:
        """The limit of messages that are held."""
        return self.prefetch or self.max_workers * self.batch_size + BATCH * (self.pollers + 1)
