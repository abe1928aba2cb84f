"""Queues and workers get the delivery policy that the declarations state."""

import inspect
from typing import Any

import pytest

from awsjson import AwsJson, StaticCredentials
from chassis.declare import delivery_policy
from chassis.declare.delivery_policy import MAX_RECEIVES, RETRY_BACKOFF, RetryBackoff
from chassis.declare.resource_names import Names
from chassis.declare.subscription import Subscription
from chassis.messaging.worker import BACKOFF, make_broker
from chassis.testing.memory import MemoryTable
from chassis.testing.service import CountingIds, FakeBus, FakeClock
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox


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


def test_the_broker_gets_it_and_not_its_own_default() -> None:
    clock, table = FakeClock(), MemoryTable()
    context = ServiceContext("tasks", table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    client = AwsJson(region="us-east-1", credentials=StaticCredentials("test", "test"))
    broker = make_broker(context, [Subscription("one"), Subscription("two")], Names("dev"), client, graceful_seconds=0)
    backoffs: list[Any] = [subscriber.consumption.backoff for subscriber in broker.subscribers]  # type: ignore[attr-defined]
    assert len(backoffs) == 2
    assert all(backoff is BACKOFF for backoff in backoffs)
