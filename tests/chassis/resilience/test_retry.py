"""Retries with backoff and bounded concurrency."""

import asyncio

import pytest

from chassis.errors import Conflict, Stale, Unavailable
from chassis.resilience.retry import STALE_POLICY, RetryPolicy, gather_bounded, retry, retry_on_stale

QUICK = RetryPolicy(tries=3, first=0.0, longest=0.0)


class Attempts:
    """Fails with each of `errors` in turn, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.count = list(errors), 0

    async def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest pause after each try; the tests do not wait for them."""
    asked: list[float] = []

    def longest(least: float, most: float) -> float:
        assert least == 0
        asked.append(most)
        return 0.0

    monkeypatch.setattr("chassis.resilience.retry.random.uniform", longest)
    return asked


async def test_a_stale_change_is_repeated_with_growing_pauses(pauses: list[float]) -> None:
    attempts = Attempts(*(Stale("changed") for _ in range(8)))
    assert await retry_on_stale(attempts) == "done"
    assert pauses == [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.25, 0.25]


async def test_after_the_last_try_the_error_is_raised(pauses: list[float]) -> None:
    attempts = Attempts(*(Stale("changed") for _ in range(99)))
    with pytest.raises(Stale):
        await retry_on_stale(attempts)
    assert attempts.count == STALE_POLICY.tries
    assert sum(pauses) <= 1.6


@pytest.mark.parametrize("error", [Conflict("no"), Unavailable("down"), ValueError("bug")])
async def test_other_errors_are_raised_at_once(error: Exception) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        await retry_on_stale(attempts)
    assert attempts.count == 1


async def test_each_retried_failure_is_announced() -> None:
    heard: list[str] = []
    attempts = Attempts(ValueError("one"), ValueError("two"), ValueError("three"))
    with pytest.raises(ValueError, match="three"):
        await retry(attempts, QUICK, on=lambda _: True, announce=lambda error: heard.append(str(error)))
    assert heard == ["one", "two"]


async def test_a_cancellation_is_never_retried() -> None:
    count = 0

    async def cancelled() -> None:
        nonlocal count
        count += 1
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retry(cancelled, QUICK, on=lambda _: True)
    assert count == 1


class ConcurrentWork:
    """Work on numbers that counts how many run at once. Those in `bad` fail."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.under_way, self.most = bad, 0, 0
        self.begun: list[int] = []
        self.ended: list[int] = []

    async def work(self, number: int) -> int:
        self.begun.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(1 + number % 3):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.ended.append(number)
        if number in self.bad:
            raise ValueError(str(number))
        return number * 10


async def test_results_come_in_order_with_bounded_concurrency() -> None:
    crowd = ConcurrentWork()
    assert await gather_bounded(range(20), crowd.work, at_once=4) == [number * 10 for number in range(20)]
    assert crowd.most == 4


async def test_no_items_return_at_once() -> None:
    assert await gather_bounded([], ConcurrentWork().work) == []


async def test_an_error_waits_for_all_the_others() -> None:
    crowd = ConcurrentWork(3, 7)
    with pytest.raises(ValueError, match="3"):
        await gather_bounded(range(20), crowd.work, at_once=4)
    assert sorted(crowd.ended) == list(range(20))


async def test_an_error_stops_the_rest_if_wanted() -> None:
    crowd = ConcurrentWork(3)
    with pytest.raises(ValueError, match="3"):
        await gather_bounded(range(1000), crowd.work, at_once=4, stop_on_error=True)
    assert sorted(crowd.begun) == sorted(crowd.ended)
    assert len(crowd.begun) < 12


async def test_a_cancelled_gathering_leaves_no_task_behind() -> None:
    under_way = 0

    async def hang(_: int) -> None:
        nonlocal under_way
        under_way += 1
        try:
            await asyncio.Event().wait()
        finally:
            under_way -= 1

    task = asyncio.create_task(gather_bounded(range(9), hang, at_once=3))
    while under_way < 3:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert under_way == 0


async def test_an_error_before_anything_is_awaited_stops_even_the_other_lanes() -> None:
    begun: list[int] = []

    async def fail(number: int) -> None:
        begun.append(number)
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="0"):
        await gather_bounded(range(9), fail, at_once=3, stop_on_error=True)
    assert begun == [0]
