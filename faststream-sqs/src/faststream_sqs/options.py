"""How a queue is consumed."""

from dataclasses import dataclass, field

from faststream_sqs.schemas import Backoff

BATCH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """How a queue is consumed. Times are seconds.

    At most `max_workers` handlers run at once and at most `prefetch` messages are held, running or buffered
    (None: `max_workers` and ten for each poller and once more). `linger` is how long a delete waits for company.
    """

    max_workers: int = 1
    pollers: int = 1
    prefetch: int | None = None
    wait: int = 20
    heartbeat: bool = True
    linger: float = 0.02
    backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        if self.max_workers < 1 or self.pollers < 1 or (self.prefetch is not None and self.prefetch < 1):
            raise ValueError("max_workers, pollers and prefetch must be at least 1")
        if not 0 <= self.wait <= 20:
            raise ValueError("wait must be between 0 and 20 seconds")

    @property
    def held_at_most(self) -> int:
        return self.prefetch or self.max_workers + BATCH * (self.pollers + 1)
