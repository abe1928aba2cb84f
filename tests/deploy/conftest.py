"""The fixture service `demo`, in a tree of its own (tests/deploy/system), declared like a real one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis.declare.service import Service, service
from contracts.event import REGISTRY
from deploy.template import Target

SYSTEM = Path(__file__).parent / "system"
CACHE = Path(__file__).parents[2] / ".local/deploy"


@contextmanager
def importable(root: Path, name: str) -> Iterator[None]:
    """The service `name` under `root` can be imported; afterwards it and its event types are forgotten again, so that
    no test of the real contracts sees them."""
    sys.path.insert(0, str(root))
    known = dict(REGISTRY)
    try:
        yield
    finally:
        sys.path.remove(str(root))
        REGISTRY.clear()
        REGISTRY.update(known)
        for module in [module for module in sys.modules if module.startswith(f"services.{name}")]:
            del sys.modules[module]


@pytest.fixture
def demo() -> Iterator[Service]:
    """The declaration of `demo`."""
    with importable(SYSTEM, "demo"):
        yield service("demo")


@pytest.fixture
def target() -> Target:
    return Target("test", local=True, runtime="python3.13", architecture="x86_64")


@pytest.fixture
def cache() -> Path:
    """The cache of `make up`: checked templates and built packages are identified by their hash."""
    return CACHE


@pytest.fixture
def system_root() -> Path:
    """The folder whose `services/` holds the fixture service."""
    return SYSTEM
