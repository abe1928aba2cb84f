"""Fixtures: the emulator and a client for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from awsjson import AwsJson, StaticCredentials
from sqs_suite.emulator import running_ministack


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture
async def aws(ministack: str) -> AsyncIterator[AwsJson]:
    keys = StaticCredentials("test", "test")
    async with AwsJson(region="eu-central-1", endpoint_url=ministack, credentials=keys) as client:
        yield client
