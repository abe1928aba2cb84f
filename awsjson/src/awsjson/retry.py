"""When to try again and after how long."""

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
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def refund(self, amount: int) -> None:
        self.tokens = min(self._capacity, self.tokens + amount)


def full_jitter(attempt: int, *, base: float, cap: float, random: Callable[[], float]) -> float:
    """Seconds to wait after the failed `attempt` (1 is the first): anything up to the doubled step."""
    return random() * min(cap, base * 2.0 ** min(attempt, 32))
