"""The contracts and their readers as the working tree declares them."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.declare.service import Service, service
from chassis.declare.subscription import AnySubscription, Subscription
from contracts.catalog import load_all
from contracts.check.verdict import Reader, Snapshot, split
from contracts.event import ContractError
from contracts.reads import collect_refusals
from contracts.schemas import schema_of
from contracts.versions import UPCASTERS
from deploy.services import ROOT, service_names

GOLDEN = "contracts/golden"
_LOADERS = ("chassis/declare/service.py", "contracts/catalog.py", "contracts/event.py", "contracts/reads.py")
"""Modules in which the traceback of another file's mistake ends."""


@dataclass(frozen=True)
class Declarations:
    """Everything that the services declare. `unreadable` has one line per service whose consumers could not be loaded;
    they are missing then."""

    services: tuple[Service, ...]
    subscriptions: dict[str, tuple[AnySubscription, ...]]
    snapshot: Snapshot
    unreadable: tuple[str, ...] = ()

    @property
    def subscriptions_to_own_events(self) -> Iterator[tuple[str, Subscription]]:
        """The subscriptions to our own events, with their services."""
        for name, subscriptions in self.subscriptions.items():
            yield from ((name, each) for each in subscriptions if isinstance(each, Subscription))


def load_declarations(root: Path = ROOT) -> Declarations:
    """Load every contract and every service under `root`. Raises ContractError for invalid contracts."""
    try:
        events = load_all()
    except ContractError:
        raise
    except Exception as error:
        raise ContractError(f"{_place(error, root)}: {type(error).__name__}: {error}; fix the contract") from error
    services: list[Service] = []
    subscriptions: dict[str, tuple[AnySubscription, ...]] = {}
    unreadable: list[str] = []
    with collect_refusals():
        for name in service_names(root):
            try:
                declared = service(name)
                subscriptions[name] = tuple(declared.load_subscriptions())
                services.append(declared)
            except Exception as error:  # noqa: BLE001 - a consumer of a missing event may raise anything
                unreadable.append(f"{_place(error, root)}: {error}; restore the event or correct the consumer")
    schemas = {name: schema_of(event) for name, event in events.items()}
    readers = [
        Reader(
            name, each.name, event_type, handler_name(handler), *location_of(handler, root), model.model_json_schema()
        )
        for name in subscriptions
        for each in subscriptions[name]
        if isinstance(each, Subscription)
        for event_type, (model, handler) in sorted(each.handlers.items())
    ]
    golden = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted((root / GOLDEN).rglob("*.json"))}
    snapshot = Snapshot(schemas, tuple(readers), golden, {old: new for old, (new, _) in UPCASTERS.items()})
    return Declarations(tuple(services), subscriptions, snapshot, tuple(unreadable))


def load_readable(root: Path = ROOT) -> Declarations:
    """Like `load_declarations`, but raises ContractError also if a service's consumers cannot be loaded."""
    tree = load_declarations(root)
    if tree.unreadable:
        raise ContractError(tree.unreadable[0])
    return tree


def check_versions(tree: Snapshot, base: Snapshot) -> None:
    """Raises ContractError if the versions of an event leave a gap."""
    known = {split(name) for name in {*base.schemas, *tree.schemas, *tree.upcasts}}
    for name in tree.schemas:
        family, version = split(name)
        if version > 1 and (family, version - 1) not in known and name not in base.schemas:
            right = max((each for other, each in known if other == family and each < version), default=0) + 1
            owner = name.split(".", 1)[0]
            raise ContractError(f"contracts/{owner}/v{version}.py: {name} skips a number; make it {family}.v{right}")


def handler_name(handler: Callable[..., Any]) -> str:
    return str(getattr(handler, "__name__", handler))


def location_of(handler: Callable[..., Any], root: Path = ROOT) -> tuple[str, int]:
    """The file of a handler, from the root, and the line of its `def`."""
    code = inspect.unwrap(handler).__code__
    path = Path(code.co_filename)
    lines = path.read_text(encoding="utf-8").splitlines()
    start = code.co_firstlineno
    line = next(
        (at for at in range(start, len(lines) + 1) if lines[at - 1].lstrip().startswith(("async def", "def"))), start
    )
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix(), line


def _place(error: BaseException, root: Path) -> str:
    """The file and line of ours in which the error arose."""
    if isinstance(error, SyntaxError) and error.filename:
        path, line = Path(error.filename), error.lineno or 0
        return f"{path.relative_to(root) if path.is_relative_to(root) else path}:{line}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        if relative.startswith(("contracts/", "services/", "chassis/")) and relative not in _LOADERS:
            return f"{relative}:{frame.lineno}"
    return "services"
