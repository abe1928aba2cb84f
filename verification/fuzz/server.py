"""A service with data on a real port: its app on a table in memory, served by uvicorn in a thread."""

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
"""Expiry of the fuzzer's token, in epoch seconds: far away, since the service's clock runs fast."""
CLOCK_STEP = 2.0
"""Seconds by which the service's clock advances per request, so that rate limits and leases expire."""


@dataclass(frozen=True)
class ServiceServer:
    """A running service."""

    port: int
    token: str
    """Token of the owner of the organization whose data the service has."""
    ids: Mapping[str, str]
    """Ids of existing things by the names of path parameters."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _AdvancingClock:
    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app, self._world = app, world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._world.sut.clock.advance(seconds=CLOCK_STEP)
        await self._app(scope, receive, send)


@contextmanager
def serve(service: str) -> Iterator[ServiceServer]:
    """Serve a service with seeded data. Raises NoSeed if it has no seed."""
    world = asyncio.run(world_of(service))
    token = world.token(world.vera.claims(world.victim_org), exp=FAR)
    ids = {"org_id": world.victim_org} | {name: pair.victim for name, pair in world.pairs.items()}
    with listening(_AdvancingClock(world.app, world)) as port:
        yield ServiceServer(port, token, ids)


@contextmanager
def listening(app: ASGIApp) -> Iterator[int]:
    """Serve an app. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)
