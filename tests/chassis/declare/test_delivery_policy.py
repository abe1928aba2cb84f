"""Queues and workers get the delivery policy that the declarations state."""

import inspect

import pytest

from chassis.declare import delivery_policy
from chassis.declare.delivery_policy import MAX_RECEIVES, RETRY_BACKOFF, RetryBackoff
from chassis.declare.subscription import Subscription
from chassis.messaging.worker import BACKOFF


def test_its_docstring_states_how_long_all_deliveries_last() -> None:
    longest = sum(RETRY_BACKOFF.longest(receive) for receive in range(1, MAX_RECEIVES))
    assert longest == 511
    assert f"at most {longest:g} s, half of that on average" in inspect.getsource(delivery_policy)


@pytest.mark.parametrize("receive", [1, 2, 5, 9, 10, 100])
def test_the_worker_waits_by_it(receive: int) -> None:
    longest = BACKOFF.__class__(BACKOFF.base, BACKOFF.cap, random=lambda: 1.0)
    assert longest.delay(receive) == RETRY_BACKOFF.longest(receive)


def test_the_backoff_is_capped() -> None:
    assert RetryBackoff(base=1.0, cap=300.0).longest(30) == 300


def test_a_subscription_may_set_its_own_receives() -> None:
    assert (Subscription("one").max_receives, Subscription("two", max_receives=3).max_receives) == (MAX_RECEIVES, 3)
