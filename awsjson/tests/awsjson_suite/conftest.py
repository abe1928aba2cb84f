"""Fixtures: a canned AWS with a client for it, and the emulator."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from awsjson import AwsJson, Config
from awsjson_suite.emulator import running_ministack
from awsjson_suite.stubs import KEYS, CannedAws, Naps


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


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url
