"""The whole system, started once for all end-to-end tests. Each plays its own day, with its own organization."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.system import LocalSystem
from examples.first_day.inputs import SAMPLE, Inputs, read_inputs


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSystem]:
    state: Path = tmp_path_factory.mktemp("system")
    async with LocalSystem(state, stage="e2e", progress=print) as running:
        yield running


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    return read_inputs(SAMPLE)
