"""The declaration of a service. Its app, its worker, its stack and its documents derive from this and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chassis.declare.projection import Projection
from chassis.errors import DeclarationError
from contracts.event import Event

if TYPE_CHECKING:
    from fastapi import APIRouter

    from chassis.declare.stack import StackContext, StackPart
    from chassis.declare.subscription import AnySubscription

ImportString = str
"""`package.module:name`. Imported only where it is needed, so that a function loads only what it runs."""

MEMBERS_SUBSCRIPTION: ImportString = "chassis.tenants.members:subscription"
MEMBERS = {"members": ("MEMBER", "MEMBERS")}
"""The projection that every service gets with that subscription: its kind and its list."""


@dataclass(frozen=True)
class TableSpec:
    """The service's one table: PK and SK, a TTL attribute `expires_at` (epoch seconds), and `indexes` GSIs for lists,
    numbered from 1, with the keys `L<n>PK` and `L<n>SK`."""

    indexes: int = 1


@dataclass(frozen=True)
class Schedule:
    """`await task(context)` runs once per `every`, in one process or in several at once: it must allow both."""

    name: str
    task: ImportString
    every: timedelta


@dataclass(frozen=True)
class Service:
    """The parts of a service.

    `ports` maps each port (a Protocol) to the factory `(aws) -> adapter` of its adapter, which reads its own settings.
    `projections` maps a subscription to the kinds and lists that only it writes, so that they can be rebuilt.
    `resources` names a function `(StackContext) -> StackPart` with the AWS resources that only this service needs.
    """

    name: str
    api: ImportString
    table: TableSpec
    subscriptions: tuple[ImportString, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    publishes: tuple[type[Event], ...] = ()
    ports: Mapping[type, ImportString] = field(default_factory=dict)
    resources: ImportString | None = None
    projections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.publishes:
            if event.owner() != self.name:
                raise DeclarationError(f"{self.name} publishes {event.event_type}, which belongs to {event.owner()}")

    def all_projections(self) -> list[Projection]:
        """The projections in its table that can be rebuilt, with that of members if it follows them."""
        declared = dict(self.projections) | (MEMBERS if MEMBERS_SUBSCRIPTION in self.subscriptions else {})
        return [Projection(f"{self.name}.{name}", frozenset(words)) for name, words in sorted(declared.items())]

    def load_subscriptions(self) -> "list[AnySubscription]":
        return [load(path) for path in self.subscriptions]

    def load_router(self) -> "APIRouter":
        router: APIRouter = load(self.api)
        return router

    def load_resources(self) -> "Callable[[StackContext], StackPart] | None":
        return load(self.resources) if self.resources else None


def load(path: ImportString) -> Any:
    """The object that an import string names. Raises ImportError or AttributeError."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def service(name: str) -> Service:
    """The declaration of the service called `name`. Raises ImportError if there is none."""
    declared: Service = load(f"services.{name}.service:service")
    return declared
