"""A canned AWS, and sleeps that end at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from awsjson import StaticCredentials

KEYS = StaticCredentials("test", "test")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ok(body: dict[str, Any] | None = None, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=orjson.dumps(body or {}), headers=headers)

    return answer


def failing(status: int, code: str, body: Mapping[str, Any] | None = None, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        text = orjson.dumps({"__type": f"com.amazonaws#{code}", "message": "no", **(body or {})})
        return web.Response(status=status, body=text, headers=headers)

    return answer


def silent(seconds: float = 30.0) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response()

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass
class CannedAws:
    """A server that gives its answers one after the other and repeats the last one."""

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [ok()])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def bodies(self) -> list[Any]:
        return [orjson.loads(body) for _, body in self.requests]


@dataclass
class Naps:
    """A replacement for asyncio.sleep that records the waits and ends at once."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
