"""Retries are spread over the whole step and never exceed the budget."""

import pytest
from awsjson.retry import RetryBudget, full_jitter


@pytest.mark.parametrize(("attempt", "step"), [(1, 0.2), (2, 0.4), (3, 0.8), (5, 2.0), (1000, 2.0)])
def test_a_pause_is_a_random_share_of_the_doubled_step(attempt: int, step: float) -> None:
    pauses = [full_jitter(attempt, base=0.1, cap=2.0, random=lambda drawn=drawn: drawn) for drawn in (0.0, 0.5, 1.0)]  # type: ignore[misc]
    assert pauses == pytest.approx([0, step / 2, step])


def test_a_budget_is_spent_and_refilled_and_never_more_than_full() -> None:
    budget = RetryBudget(10)
    assert [budget.spend(5), budget.spend(5), budget.spend(5)] == [True, True, False]
    budget.refund(4)
    assert not budget.spend(5)
    budget.refund(100)
    assert [budget.spend(10), budget.spend(1)] == [True, False]
