"""Fixtures: SQS in memory, in moto, in the emulator."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from faststream_sqs import Transport
from moto import mock_aws

from awsjson import AwsJson, StaticCredentials
from sqs_suite.backends import Backend
from sqs_suite.emulator import running_ministack
from sqs_suite.memory_sqs import MemorySQS
from sqs_suite.moto_sqs import MotoSQS


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture
async def aws(ministack: str) -> AsyncIterator[AwsJson]:
    keys = StaticCredentials("test", "test")
    async with AwsJson(region="eu-central-1", endpoint_url=ministack, credentials=keys) as client:
        yield client


@pytest.fixture
async def moto() -> AsyncIterator[MotoSQS]:
    with mock_aws():
        async with MotoSQS() as client:
            yield client


@pytest.fixture(params=["memory", "moto", pytest.param("ministack", marks=pytest.mark.ministack)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """A backend of the conformance suite."""
    transport: Transport
    if request.param == "memory":
        transport = MemorySQS(second=0.2)
        return Backend("memory", transport, 0.2)
    transport = request.getfixturevalue("moto" if request.param == "moto" else "aws")
    return Backend(request.param, transport, 1.0)


@pytest.fixture
def queue() -> str:
    return f"q{uuid4().hex[:12]}"
