"""Middleware of every request: its log line, its limits and the headers of its answer. FastAPI itself makes its
span."""

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import TooLarge
from chassis.http.cors import headers_of_refusal
from chassis.http.headers import NOTES, complete
from chassis.http.problems import problem
from chassis.resilience.deadline import deadline

log = structlog.get_logger("http")

REQUEST_SECONDS = 25.0

MAX_BODY = 1024 * 1024
"""Bytes. Files are not sent this way: clients upload them to the store directly."""

BODY_SECONDS = 20.0
"""Seconds in which a body must arrive: fewer than REQUEST_SECONDS, so that time remains to carry the request out."""

MAX_HEADERS = 16 * 1024
"""Bytes of all names and values together; a token is the largest of them."""


class BodyLimit:
    """Refuses bodies over `limit` bytes with 413, also those that do not announce their length, and with 408 bodies
    that take longer than `seconds` to arrive."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, seconds: float = BODY_SECONDS) -> None:
        self.app, self.limit, self.seconds = app, limit, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        try:
            if not announced.isdecimal() or int(announced) > self.limit:
                raise TooLarge(f"The body may have at most {self.limit} bytes.")
            async with asyncio.timeout(self.seconds):
                body = await self._read(receive)
        except TooLarge as error:
            await problem(error.status, error.kind, error.detail)(scope, receive, send)
        except TimeoutError:
            late = problem(408, "too-slow", f"The body did not come within {self.seconds:g} s.")
            late.headers["Connection"] = "close"
            await late(scope, receive, send)
        else:
            if body is not None:
                await self.app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None if the client disconnected. Raises TooLarge."""
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            more = message.get("more_body", False)
            if size > self.limit:
                raise TooLarge(f"The body may have at most {self.limit} bytes.")
        return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns `body` first, and then what the given one returns."""
    done = False

    async def body_first() -> Message:
        nonlocal done
        if done:
            return await receive()
        done = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body_first


class Deadline:
    """Limits each request to `seconds` for all its calls. API Gateway waits for 29 s, and an answer that says what to
    do is better than none."""

    def __init__(self, app: ASGIApp, seconds: float = REQUEST_SECONDS) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with deadline(self.seconds):
            await self.app(scope, receive, send)


class AnswerHeaders:
    """Adds the headers of every answer, and refuses requests whose own headers are too large with 431."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        notes: dict[str, str] = {}
        scope.setdefault("state", {})[NOTES] = notes

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(MutableHeaders(scope=message), {**headers_of_refusal(scope, message["status"]), **notes})
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            answer = problem(431, "headers-too-large", f"The headers may have at most {MAX_HEADERS} bytes together.")
            await answer(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)


class RequestLog:
    """Writes one log line per request. Health checks are left out, since they would drown the rest."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_health_check(scope):
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(service=self.service)
        started, status = time.perf_counter(), 500

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observe)
        finally:
            # Starlette puts the matched route into the scope while it handles the request.
            route = getattr(scope.get("route"), "path", scope["path"])
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            log.info("request", method=scope["method"], route=route, status=status, ms=milliseconds)


def is_health_check(scope: MutableMapping[str, Any]) -> bool:
    return str(scope["path"]).startswith("/health/")
