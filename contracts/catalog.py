"""The catalogue of all event versions."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

from contracts.event import REGISTRY, Event

ROOT = Path(__file__).parent
_VERSION = re.compile(r"v[1-9]\d*")


def load_all() -> dict[str, type[Event]]:
    """Imports every `contracts/<service>/v<n>.py` and returns the events by type. Raises ContractError."""
    for package in pkgutil.iter_modules([str(ROOT)]):
        if package.ispkg:
            for module in pkgutil.iter_modules([str(ROOT / package.name)]):
                if not _VERSION.fullmatch(module.name):
                    continue
                import_module(f"contracts.{package.name}.{module.name}")
    return {name: event for name, event in sorted(REGISTRY.items()) if event.__module__.startswith("contracts.")}
