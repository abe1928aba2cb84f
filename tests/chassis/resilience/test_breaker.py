"""The circuit breaker stops calls to a dependency that does not answer, and resumes them when it does."""

import asyncio

import pytest

from awsjson import AwsError, ConnectionFailed, DeadlineExceeded, Throttled
from chassis.errors import Unavailable
from chassis.resilience.breaker import FAILURES, PAUSE, Breaker, State


class World:
    def __init__(self) -> None:
        self.time, self.reached = 0.0, 0
        self.breaker = Breaker("The store", now=lambda: self.time)

    def state(self) -> State:
        return self.breaker.state

    def call(self, error: Exception | None = None) -> None:
        with self.breaker.guarding():
            self.reached += 1
            if error:
                raise error

    def fail(self, times: int = FAILURES, error: Exception | None = None) -> None:
        error = error or ConnectionFailed()
        for _ in range(times):
            with pytest.raises(type(error)):
                self.call(error)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "error",
    [ConnectionFailed(), DeadlineExceeded(), AwsError("InternalError", status=500), Unavailable("down")],
    ids=repr,
)
def test_a_dependency_that_does_not_answer_is_left_alone(world: World, error: Exception) -> None:
    world.fail(error=error)
    assert world.state() is State.OPEN
    world.time += PAUSE - 4
    with pytest.raises(Unavailable, match="The store does not answer") as refused:
        world.call()
    assert refused.value.retry_after == 4
    assert world.reached == FAILURES


@pytest.mark.parametrize(
    "error", [Throttled("TooManyRequestsException", status=400), AwsError("NotFound", status=404), KeyError()], ids=repr
)
def test_a_refusal_is_an_answer(world: World, error: Exception) -> None:
    world.fail(3 * FAILURES, error)
    assert world.state() is State.CLOSED


def test_one_answer_in_between_keeps_it_closed(world: World) -> None:
    for _ in range(5):
        world.fail(FAILURES - 1)
        world.call()
    assert world.state() is State.CLOSED


def test_after_the_pause_one_call_probes_and_its_answer_closes(world: World) -> None:
    world.fail()
    world.time += PAUSE
    assert world.state() is State.HALF_OPEN
    with world.breaker.guarding(), pytest.raises(Unavailable):
        world.call()  # beside the one that probes
    assert world.state() is State.CLOSED
    world.fail(FAILURES - 1)
    assert world.state() is State.CLOSED


def test_a_failed_probe_opens_it_for_another_pause(world: World) -> None:
    world.fail()
    world.time += PAUSE
    world.fail(1)
    world.time += PAUSE - 1
    assert world.state() is State.OPEN
    world.time += 1
    world.call()
    assert world.state() is State.CLOSED


async def test_a_cancelled_probe_lets_the_next_call_probe(world: World) -> None:
    world.fail()
    world.time += PAUSE

    async def hang() -> None:
        with world.breaker.guarding():
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert world.state() is State.HALF_OPEN
    world.call()
    assert world.state() is State.CLOSED
