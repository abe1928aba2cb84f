"""Requests that no client library sends, byte by byte: each is refused with a 4xx (or the connection is closed), and
afterwards the service answers as before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

from verification.fuzz.server import Served

JSON = "application/json"
ANSWER_SECONDS = 45
"""Longer than a service waits for a body that does not come."""
MEGABYTES = 10


@dataclass(frozen=True)
class Hostile:
    name: str
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON),)
    announced: int | None = None
    """The Content-Length that it claims, if not its body's."""


def hostile() -> Iterator[Hostile]:
    deep = 100_000
    yield Hostile("deep lists", b"[" * deep + b"]" * deep)
    yield Hostile("deep objects", b'{"a":' * deep + b"1" + b"}" * deep)
    yield Hostile("a number of ten thousand digits", b'{"name": ' + b"9" * 10_000 + b"}")
    yield Hostile("a number beyond floats", b'{"name": 1e99999, "limit": -1e99999}')
    yield Hostile("numbers that JSON does not have", b'{"name": NaN, "limit": Infinity}')
    yield Hostile("NUL", b'{"name": "a\\u0000b", "title": "\\u0000", "email": "\\u0000"}')
    yield Hostile("a raw NUL", b'{"name": "a\x00b"}')
    yield Hostile("lone surrogates", b'{"name": "\\ud800", "title": "\\udfff\\ud800", "email": "\\ud83d"}')
    yield Hostile("no UTF-8", b'{"name": "\xff\xfe\xc3\x28"}')
    yield Hostile("one name twice", b'{"name": "a", "name": {"b": 1}, "name": null}')
    yield Hostile("UTF-16", '{"name": "a"}'.encode("utf-16"))
    yield Hostile("a mark before it", b"\xef\xbb\xbf{}")
    yield Hostile("only half of it", b'{"name": "a')
    yield Hostile("nothing", b"")
    yield Hostile("a text", b'"text"')
    yield Hostile("null", b"null")
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "", "/"):
        yield Hostile(f"as {kind or 'of no type'}", b'{"name": "a"}', (("Content-Type", kind),))
    yield Hostile("compressed, it says", b'{"name": "a"}', (("Content-Type", JSON), ("Content-Encoding", "gzip")))
    yield Hostile("too large", b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}')
    yield Hostile("too large, it says", announced=10**12)
    yield Hostile("of a negative length", announced=-1)
    yield Hostile("shorter than it says", announced=1000)
    yield Hostile("large headers", headers=(("Content-Type", JSON), ("X-Large", "x" * MEGABYTES * 1024 * 1024)))
    yield Hostile("many headers", headers=(("Content-Type", JSON), *((f"X-{n}", "x" * 50) for n in range(5000))))
    yield Hostile("a long key", headers=(("Content-Type", JSON), ("Idempotency-Key", "k" * 10_000)))
    yield Hostile("a strange key", headers=(("Content-Type", JSON), ("Idempotency-Key", "\t\xff ")))
    yield Hostile("a trace that is none", headers=(("Content-Type", JSON), ("traceparent", "00-zz-\xff-01")))


async def attack(at: Served) -> tuple[int, list[str]]:
    """How many requests were sent, and a line for each answer that must not be."""
    paths, wrong = await _writing_paths(at), []
    for path in paths:
        for each in hostile():
            status = await _status(at, path, each)
            if status is not None and status >= 500:
                wrong.append(f"POST {path}, {each.name}: {status}")
    wrong += await _slow(at, paths[0])
    if not await _alive(at):
        wrong.append("it does not answer any more")
    return len(paths) * len(list(hostile())) + 1, wrong


async def _writing_paths(at: Served) -> list[str]:
    async with httpx.AsyncClient(base_url=at.url, timeout=30) as client:
        document = (await client.get("/openapi.json")).json()
    paths = [path.format(**at.ids) for path, of in document["paths"].items() if "requestBody" in of.get("post", {})]
    return paths or ["/v1/nothing"]


async def _status(at: Served, path: str, each: Hostile) -> int | None:
    """The answer's status; None if the connection was closed instead."""
    length = len(each.body) if each.announced is None else each.announced
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Authorization: Bearer {at.token}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in each.headers]
    async with _connection(at) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + each.body)
            if each.announced is not None:
                writer.write_eof()
            await writer.drain()
        return await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)


async def _slow(at: Served, path: str) -> list[str]:
    """A body that never comes: the service must give up waiting, and serve others meanwhile."""
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {at.token}\r\nContent-Length: 100\r\n\r\n"
    async with _connection(at) as (reader, writer):
        writer.write(head.encode())
        await writer.drain()
        wrong = [] if await _alive(at) else [f"POST {path}, a slow body: others are not served"]
        try:
            status = await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)
        except TimeoutError:
            return [*wrong, f"POST {path}, a slow body: it waits for more than {ANSWER_SECONDS} s"]
    return wrong if status in {None, 408} else [*wrong, f"POST {path}, a slow body: {status}"]


async def _alive(at: Served) -> bool:
    async with httpx.AsyncClient(base_url=at.url, timeout=10) as client:
        return (await client.get("/health/live")).status_code == 200


async def _answer(reader: asyncio.StreamReader) -> int | None:
    try:
        words = (await reader.readline()).split()
    except ConnectionError:
        return None
    return int(words[1]) if len(words) > 1 else None


@contextlib.asynccontextmanager
async def _connection(at: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
