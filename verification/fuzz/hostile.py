"""Hostile requests, sent as bytes that no client library would send.

Each must be refused with a 4xx (or by closing the connection), and afterwards the service must answer as before.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

from verification.fuzz.server import ServiceServer

JSON = "application/json"
ANSWER_SECONDS = 45
"""Longer than a service waits for a body that does not come."""
MEGABYTES = 10


@dataclass(frozen=True)
class HostileRequest:
    """One hostile request."""

    name: str
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON),)
    announced: int | None = None
    """The Content-Length header, if it differs from the length of the body."""


def hostile_requests() -> Iterator[HostileRequest]:
    """Every kind of hostile request."""
    deep = 100_000
    yield HostileRequest("deep lists", b"[" * deep + b"]" * deep)
    yield HostileRequest("deep objects", b'{"a":' * deep + b"1" + b"}" * deep)
    yield HostileRequest("a number of ten thousand digits", b'{"name": ' + b"9" * 10_000 + b"}")
    yield HostileRequest("a number beyond floats", b'{"name": 1e99999, "limit": -1e99999}')
    yield HostileRequest("numbers that JSON does not have", b'{"name": NaN, "limit": Infinity}')
    yield HostileRequest("NUL", b'{"name": "a\\u0000b", "title": "\\u0000", "email": "\\u0000"}')
    yield HostileRequest("a raw NUL", b'{"name": "a\x00b"}')
    yield HostileRequest("lone surrogates", b'{"name": "\\ud800", "title": "\\udfff\\ud800", "email": "\\ud83d"}')
    yield HostileRequest("not UTF-8", b'{"name": "\xff\xfe\xc3\x28"}')
    yield HostileRequest("one name twice", b'{"name": "a", "name": {"b": 1}, "name": null}')
    yield HostileRequest("UTF-16", '{"name": "a"}'.encode("utf-16"))
    yield HostileRequest("a byte order mark", b"\xef\xbb\xbf{}")
    yield HostileRequest("an incomplete body", b'{"name": "a')
    yield HostileRequest("an empty body", b"")
    yield HostileRequest("a text", b'"text"')
    yield HostileRequest("null", b"null")
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "", "/"):
        yield HostileRequest(f"type {kind or 'missing'}", b'{"name": "a"}', (("Content-Type", kind),))
    yield HostileRequest(
        "compressed by its header only", b'{"name": "a"}', (("Content-Type", JSON), ("Content-Encoding", "gzip"))
    )
    yield HostileRequest("too large", b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}')
    yield HostileRequest("too large by its header", announced=10**12)
    yield HostileRequest("a negative length", announced=-1)
    yield HostileRequest("shorter than its header says", announced=1000)
    yield HostileRequest("large headers", headers=(("Content-Type", JSON), ("X-Large", "x" * MEGABYTES * 1024 * 1024)))
    yield HostileRequest("many headers", headers=(("Content-Type", JSON), *((f"X-{n}", "x" * 50) for n in range(5000))))
    yield HostileRequest("a long key", headers=(("Content-Type", JSON), ("Idempotency-Key", "k" * 10_000)))
    yield HostileRequest("a strange key", headers=(("Content-Type", JSON), ("Idempotency-Key", "\t\xff ")))
    yield HostileRequest("an invalid trace", headers=(("Content-Type", JSON), ("traceparent", "00-zz-\xff-01")))


async def attack(server: ServiceServer) -> tuple[int, list[str]]:
    """Send every hostile request to every POST route. Returns their number, and a line per wrong answer."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        document = (await client.get("/openapi.json")).json()
    methods = document["paths"].items()
    paths = [path.format(**server.ids) for path, of in methods if "requestBody" in of.get("post", {})] or [
        "/v1/nothing"
    ]
    wrong = []
    for path in paths:
        for each in hostile_requests():
            status = await _send(server, path, each)
            if status is not None and status >= 500:
                wrong.append(f"POST {path}, {each.name}: {status}")
    wrong += await _send_slowly(server, paths[0])
    if not await _alive(server):
        wrong.append("the service does not answer any more")
    return len(paths) * len(list(hostile_requests())) + 1, wrong


async def _send(server: ServiceServer, path: str, each: HostileRequest) -> int | None:
    """Send one request. Returns the status of the answer, or None if the connection was closed instead."""
    length = len(each.body) if each.announced is None else each.announced
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {server.token}",
        f"Content-Length: {length}",
    ]
    lines += [f"{name}: {value}" for name, value in each.headers]
    async with _connection(server) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + each.body)
            if each.announced is not None:
                writer.write_eof()
            await writer.drain()
        return await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)


async def _send_slowly(server: ServiceServer, path: str) -> list[str]:
    """Announce a body and never send it: the service must give up waiting, and serve others meanwhile."""
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {server.token}\r\nContent-Length: 100\r\n\r\n"
    async with _connection(server) as (reader, writer):
        writer.write(head.encode())
        await writer.drain()
        wrong = [] if await _alive(server) else [f"POST {path}, a slow body: others are not served"]
        try:
            status = await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)
        except TimeoutError:
            return [*wrong, f"POST {path}, a slow body: the service waits for more than {ANSWER_SECONDS} s"]
    return wrong if status in {None, 408} else [*wrong, f"POST {path}, a slow body: {status}"]


async def _alive(server: ServiceServer) -> bool:
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        return (await client.get("/health/live")).status_code == 200


async def _answer(reader: asyncio.StreamReader) -> int | None:
    try:
        words = (await reader.readline()).split()
    except ConnectionError:
        return None
    return int(words[1]) if len(words) > 1 else None


@contextlib.asynccontextmanager
async def _connection(server: ServiceServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
