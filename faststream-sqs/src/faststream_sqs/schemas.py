"""The description of a queue, and the backoff of failed messages."""

import math
import random as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_VISIBILITY = 43_200


@dataclass(frozen=True, slots=True)
class SQSQueue:
    """A queue by name or URL.

    `visibility` (seconds) is the time that a received message is ours before a heartbeat must extend it (None: the
    queue's own), `wait` the time that a poll waits for messages, unless the subscriber overrides it.
    `dead_letter` (name or URL) receives rejected messages (None: the one of the queue's RedrivePolicy).
    `declare` creates the queue with `visibility`, `attributes` and `tags`, and its dead-letter queue if one is named;
    with `max_receives` also the redrive policy: after that many deliveries, SQS itself moves a message there.
    """

    name: str
    visibility: int | None = None
    declare: bool = False
    dead_letter: str | None = None
    max_receives: int | None = None
    wait: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.visibility is not None and not 1 <= self.visibility <= MAX_VISIBILITY:
            raise ValueError(f"visibility must be between 1 and {MAX_VISIBILITY} seconds")
        if self.max_receives is None:
            return
        if self.dead_letter is None or not 1 <= self.max_receives <= 1000:
            raise ValueError("max_receives must be between 1 and 1000 and needs a dead_letter queue")
        if self.dead_letter.endswith(".fifo") != self.fifo:
            raise ValueError("SQS redrives a FIFO queue to a FIFO queue only, and a standard one to a standard one")

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")


def as_queue(queue: "SQSQueue | str") -> SQSQueue:
    return queue if isinstance(queue, SQSQueue) else SQSQueue(queue)


def is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def name_of(name_or_url: str) -> str:
    return name_or_url.rpartition("/")[2] if is_url(name_or_url) else name_or_url


def name_of_arn(arn: str) -> str:
    return arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Backoff with full jitter: the wait after the n-th delivery is up to `base * 2**(n-1)` seconds, at most `cap`."""

    base: float = 1.0
    cap: float = 300.0
    random: Callable[[], float] = randomness.random

    def delay(self, receive_count: int) -> float:
        return self.random() * min(self.cap, self.base * 2.0 ** min(max(receive_count, 1) - 1, 32))


def visibility_seconds(delay: float) -> int:
    """A delay in SQS's whole seconds: never sooner than requested, never longer than SQS allows."""
    return min(MAX_VISIBILITY, max(0, math.ceil(delay)))
