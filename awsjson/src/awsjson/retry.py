"""Retry budget and backoff with full jitter."""

from collections.abc import Callable

RETRY_COST = 5
TIMEOUT_COST = 10
SUCCESS_REFUND = 1


class RetryBudget:
    """Tokens that all calls of a client share, so that a failing service is not buried under retries."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.tokens = capacity

    def spend(self, cost: int) -> bool:
        """Takes `cost` tokens. False if fewer are left: then do not retry."""
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def refund(self, amount: int) -> None:
        self.tokens = min(self._capacity, self.tokens + amount)


def full_jitter(attempt: int, *, base: float, cap: float, random: Callable[[], float]) -> float:
    """Seconds to wait after failed `attempt` (the first is 1): a random share of a step that doubles up to `cap`."""
    return random() * min(cap, base * 2.0 ** min(attempt, 32))
