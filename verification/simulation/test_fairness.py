"""A flooding organization hardly delays another: with fair queues and turns, and only with both."""

import pytest

from verification.simulation.fairness import ratio


def test_a_quiet_organization_waits_at_most_twice_as_long_as_alone() -> None:
    assert ratio(skew=100, fair_queue=True, turns=True) <= 2


@pytest.mark.parametrize(("fair_queue", "turns"), [(True, False), (False, True), (False, False)])
def test_it_needs_both(fair_queue: bool, turns: bool) -> None:
    assert ratio(skew=100, fair_queue=fair_queue, turns=turns) > 5
