import pytest

from tests.services.tenancy.world import World


@pytest.fixture
def world() -> World:
    return World()
