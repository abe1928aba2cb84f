"""A canned AWS on a free port, and ministack for the calls that must be real."""

import asyncio
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from awsjson import AwsJson, Config, StaticCredentials

REPOSITORY = Path(__file__).parents[2]
MINISTACK = REPOSITORY / ".local/emulator-venv/bin/ministack"
KEYS = StaticCredentials("test", "test")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ok(body: dict[str, Any] | None = None, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=orjson.dumps(body or {}), headers=headers)

    return answer


def failing(status: int, code: str, body: dict[str, Any] | None = None, **headers: str) -> Answer:
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
    """Answers one after the other; the last one stays."""

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [ok()])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def bodies(self) -> list[Any]:
        return [orjson.loads(body) for _, body in self.requests]


@pytest.fixture
async def aws() -> AsyncIterator[CannedAws]:
    canned = CannedAws()
    app = web.Application()
    app.router.add_post("/", canned.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    canned.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield canned
    await runner.cleanup()


@dataclass
class Naps:
    """Stands for asyncio.sleep: nobody waits, the waits are told."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def client(aws: CannedAws, naps: Naps) -> AsyncIterator[AwsJson]:
    config = Config(read_timeout=2.0, max_attempts=4)
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, config=config, sleep=naps, random=lambda: 1.0
    ) as opened:
        yield opened


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(process: subprocess.Popen[bytes], url: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ministack ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError("ministack did not become healthy")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("ministack")
    port = free_port()
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "0",
        "STATE_DIR": str(home),
        "TMPDIR": str(home),
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([MINISTACK], cwd=home, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(process, url)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
