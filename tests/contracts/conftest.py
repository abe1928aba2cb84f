from pathlib import Path

import pytest

from tests.contracts.scratch import House


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.copy(tmp_path_factory.mktemp("original"))


@pytest.fixture
def house(original: House, tmp_path: Path) -> House:
    """A house of one commit, in which to break things."""
    return original.another(tmp_path / "house")
