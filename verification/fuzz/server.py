"""A service with data in it, on a real port: its app on a table in memory, served by uvicorn in a thread."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from verification.isolation.seeds import world_of
from verification.isolation.world import World

FAR = 4_000_000_000
"""When the fuzzer's token ends, in epoch seconds: the service's clock runs fast."""
CLOCK_STEP = 2.0
"""Seconds that the service's clock moves on at each request, so that rate limits and leases go on."""


@dataclass(frozen=True)
class Served:
    port: int
    token: str
    """Of the owner of the organization whose data it has."""
    ids: Mapping[str, str]
    """What stands there, by the names of path parameters."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Ticking:
    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app, self._world = app, world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._world.sut.clock.advance(seconds=CLOCK_STEP)
        await self._app(scope, receive, send)


@contextmanager
def served(service: str) -> Iterator[Served]:
    """Raises NoSeed for a service without data to begin with."""
    world = asyncio.run(world_of(service))
    token = world.token(world.vera.claims(world.victim_org), exp=FAR)
    ids = {"org_id": world.victim_org} | {name: pair.victim for name, pair in world.pairs.items()}
    with listening(_Ticking(world.app, world)) as port:
        yield Served(port, token, ids)


@contextmanager
def listening(app: ASGIApp) -> Iterator[int]:
    """Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)
