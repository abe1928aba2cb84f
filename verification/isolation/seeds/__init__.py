"""Two organizations in each service, made by its real use cases and events. One module a service, of its name."""

from collections.abc import Awaitable, Callable

from chassis.declare.service import load
from verification.isolation.world import World

Seed = Callable[[], Awaitable[World]]


class NoSeed(Exception):
    """A service that nobody wrote a seed for, so that nothing attacks it."""


async def world_of(service: str) -> World:
    """The service with both organizations in it, as it was saved. Raises NoSeed."""
    try:
        seed: Seed = load(f"verification.isolation.seeds.{service}:seed")
    except ModuleNotFoundError as error:
        raise NoSeed(f"{service} has no verification/isolation/seeds/{service}.py") from error
    world = await seed()
    await world.sut.outbox.flush()
    world.save()
    return world
