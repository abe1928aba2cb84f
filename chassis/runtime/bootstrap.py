"""The composition root: the one place where a service's process is wired to AWS.

`make_context` is what every piece of work uses, in processes and in functions; `make_api` is the HTTP API on top of it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.aws.eventbridge import EventBridge
from chassis.aws.secrets import SecretCursorKeys
from chassis.clock import SystemClock, SystemIds
from chassis.declare.service import Service, load
from chassis.declare.settings import Settings
from chassis.runtime.health import Probe, readiness
from chassis.storage.cursors import CursorKeys
from chassis.storage.rate_limit_store import RateLimitStore
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox
from chassis.work.projection_versions import VersionedProjectionTable

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chassis.http.state import ApiState

MakeContext = Callable[[Service, Settings, Aws], ServiceContext]
"""`make_context`, or what a test wraps around it."""


def make_context(service: Service, settings: Settings, aws: Aws) -> ServiceContext:
    """The table, the outbox, the clock, the ids and the adapters of all ports of one process."""
    clock, store = SystemClock(), DynamoTable(aws, settings.table_of(service.name))
    table = VersionedProjectionTable(store, service.all_projections())
    outbox = Outbox(table, EventBridge(aws, settings.names.bus), clock)
    ports: dict[type, object] = {port: load(factory)(aws) for port, factory in service.ports.items()}
    ports[CursorKeys] = SecretCursorKeys(aws, settings.names.cursor_secret, clock)
    ports[RateLimitStore] = store
    return ServiceContext(service.name, table, outbox, clock, SystemIds(), ports)


def make_api(
    service: Service,
    context: ServiceContext,
    settings: Settings,
    aws: Aws,
    probes: Mapping[str, Probe],
    figures: Callable[[], Mapping[str, Any]] = dict,
) -> "tuple[FastAPI, ApiState]":
    """The HTTP API of one process. It is ready while all `probes` answer; `figures()` are its metrics."""
    # Loaded here, so that the functions of consumers and schedules start without FastAPI.
    from chassis.auth.discovery import issuer_finder, key_fetcher  # noqa: PLC0415
    from chassis.auth.tokens import TokenVerifier  # noqa: PLC0415
    from chassis.http.app import make_app  # noqa: PLC0415
    from chassis.http.state import ApiState  # noqa: PLC0415

    verifier = TokenVerifier(issuer_finder(settings, aws), key_fetcher(), context.clock)
    state = ApiState(context, verifier, frozenset(settings.tenfold_public_origins))
    return make_app(service, state, lambda: readiness(probes), figures), state
