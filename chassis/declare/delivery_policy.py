"""The delivery policy of subscriptions: how often a message is delivered, how long a handler has, and how long a
delivery that failed waits for the next one. A subscription may set its own `max_receives` and `visibility`."""

from dataclasses import dataclass

MAX_RECEIVES = 10
"""Deliveries of a message before it becomes a dead letter. Poison is rejected at once, so a message that uses up its
receives met a bug or bad luck: each kill of a process that holds it costs one, and so does each try while a store is
down. Between ten deliveries lie at most 511 s, half of that on average (RETRY_BACKOFF)."""

LEAST_HANDLING_SECONDS = 30
"""Seconds that every handler has for one delivery, however short the visibility."""

SETTLE_MARGIN_SECONDS = 2.0
"""Seconds before the end of a delivery's time, or of its function's, in which no more calls to AWS begin: what is left
is for settling the message and for publishing what was committed."""


@dataclass(frozen=True)
class RetryBackoff:
    """Full jitter: the n-th failed delivery of a message waits up to `base * 2**(n-1)` seconds, at most `cap`."""

    base: float
    cap: float

    def longest(self, receive_count: int) -> float:
        """Seconds that a message waits at most after that delivery failed."""
        return min(self.cap, self.base * 2.0 ** (receive_count - 1))


RETRY_BACKOFF = RetryBackoff(base=1.0, cap=300.0)
"""After a handler raised Retryable or crashed, in a worker and in a function alike."""
