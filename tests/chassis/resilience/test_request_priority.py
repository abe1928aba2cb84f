"""Requests have priority, and deliveries still make progress."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from chassis.resilience.request_priority import RequestPriority


@asynccontextmanager
async def request_in_flight(priority: RequestPriority) -> AsyncIterator[None]:
    begun, end = asyncio.Event(), asyncio.Event()

    async def app(*_: Any) -> None:
        begun.set()
        await end.wait()

    nothing = cast("Any", None)
    task = asyncio.ensure_future(priority.before(app)({}, nothing, nothing))
    await begun.wait()
    try:
        yield
    finally:
        end.set()
        await task


class Deliveries:
    """Deliveries that begin when they may and end on demand."""

    def __init__(self, priority: RequestPriority) -> None:
        self.priority, self.begun, self.end = priority, 0, asyncio.Event()

    async def one(self) -> None:
        async with self.priority.delivery():
            self.begun += 1
            await self.end.wait()

    @asynccontextmanager
    async def several(self, count: int) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.one()) for _ in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            yield
        finally:
            self.end.set()
            await asyncio.gather(*tasks)


@pytest.mark.parametrize("beside", [1, 3])
async def test_during_a_request_only_a_few_deliveries_begin_and_the_rest_after_it(beside: int) -> None:
    priority = RequestPriority(beside=beside, patience=60)
    deliveries = Deliveries(priority)
    async with request_in_flight(priority):
        tasks = [asyncio.create_task(deliveries.one()) for _ in range(8)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert deliveries.begun == beside
    deliveries.end.set()
    await asyncio.gather(*tasks)
    assert deliveries.begun == 8


async def test_without_requests_all_deliveries_begin_at_once() -> None:
    deliveries = Deliveries(RequestPriority(patience=60))
    async with deliveries.several(8):
        assert deliveries.begun == 8


async def test_endless_requests_do_not_stop_deliveries() -> None:
    priority = RequestPriority(patience=0.01)
    deliveries = Deliveries(priority)
    async with request_in_flight(priority), asyncio.timeout(10), deliveries.several(8):
        while deliveries.begun < 8:
            await asyncio.sleep(0.001)


async def test_during_a_request_deliveries_follow_one_another() -> None:
    priority, order = RequestPriority(beside=1, patience=60), list[int]()

    async def one(number: int) -> None:
        async with priority.delivery():
            order.append(number)
            await asyncio.sleep(0)

    async with request_in_flight(priority), asyncio.timeout(10):
        await asyncio.gather(*(one(number) for number in range(8)))
    assert order == list(range(8))


async def test_a_waiting_delivery_that_is_cancelled_passes_its_turn_on() -> None:
    priority = RequestPriority(beside=1, patience=60)
    deliveries = Deliveries(priority)
    async with request_in_flight(priority), asyncio.timeout(10):
        first, cancelled, last = (asyncio.create_task(deliveries.one()) for _ in range(3))
        await asyncio.sleep(0)
        cancelled.cancel()
        deliveries.end.set()
        await asyncio.gather(first, last)
    assert deliveries.begun == 2


async def test_a_failed_request_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    priority = RequestPriority(patience=60)

    async def fails(*_: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await priority.before(fails)({}, cast("Any", None), cast("Any", None))
    monkeypatch.setattr("chassis.resilience.request_priority.CALM", 0.0)
    deliveries = Deliveries(priority)
    async with deliveries.several(8):
        assert deliveries.begun == 8
