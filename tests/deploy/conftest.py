"""The fixture service `demo`, in a tree of its own (tests/deploy/system), declared as the real ones are."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.service import Service, service
from contracts.event import REGISTRY
from deploy.template import Target

SYSTEM = Path(__file__).parent / "system"
CACHE = Path(__file__).parents[2] / ".local/deploy"


@pytest.fixture
def demo() -> Iterator[Service]:
    """The declaration of `demo`; its event type is forgotten again, so that no test of the real contracts sees it."""
    sys.path.insert(0, str(SYSTEM))
    known = dict(REGISTRY)
    try:
        yield service("demo")
    finally:
        sys.path.remove(str(SYSTEM))
        REGISTRY.clear()
        REGISTRY.update(known)
        for name in [name for name in sys.modules if name.startswith("services.demo")]:
            del sys.modules[name]


@pytest.fixture
def target() -> Target:
    return Target("test", local=True, runtime="python3.13", architecture="x86_64")


@pytest.fixture
def cache() -> Path:
    """Shared with `make up`: checked templates and built packages are known by their hash."""
    return CACHE


@pytest.fixture
def system_root() -> Path:
    """The folder whose `services/` holds the fixture service."""
    return SYSTEM
