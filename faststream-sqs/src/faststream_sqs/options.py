"""How a queue is consumed."""

from dataclasses import dataclass, field

from faststream_sqs.buffer import GroupOf
from faststream_sqs.schemas import Backoff

BATCH = 10
LONGEST_POLL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """How a queue is consumed. Times are seconds.

    At most `max_workers` handlers run at once, each with `batch_size` messages at most, and at most `prefetch` messages
    are held, running or buffered (None: what the workers can take, ten for each poller and ten more). `linger` is how
    long a delete waits for company. With `fair_by` the groups that it tells take turns among what is held.
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
        return self.prefetch or self.max_workers * self.batch_size + BATCH * (self.pollers + 1)
