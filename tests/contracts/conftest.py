from pathlib import Path

import pytest

from tests.contracts.scratch import Checkout


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.of_this_tree(tmp_path_factory.mktemp("original"))


@pytest.fixture
def checkout(original: Checkout, tmp_path: Path) -> Checkout:
    """A clone of `original` with one commit, for a test to change."""
    return original.clone(tmp_path / "checkout")
