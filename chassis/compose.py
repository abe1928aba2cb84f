"""What every process and every function of a service is made of. Nothing here serves HTTP or receives messages."""

from collections.abc import Callable

from chassis.aws import Aws
from chassis.bus import EventBridge
from chassis.clock import SystemClock, SystemIds
from chassis.context import Toolbox
from chassis.cursors import CursorKeys, SecretCursorKeys
from chassis.dynamodb import DynamoTable
from chassis.generations import GenerationalTable
from chassis.outbox import Outbox
from chassis.service import Service, load
from chassis.settings import Settings

Compose = Callable[[Service, Settings, Aws], Toolbox]
"""Makes the tools of a process: `make_tools`, or what a test puts around it."""


def make_tools(service: Service, settings: Settings, aws: Aws) -> Toolbox:
    """What every piece of work of this process uses."""
    clock = SystemClock()
    table = GenerationalTable(DynamoTable(aws, settings.table_of(service.name)), service.all_projections())
    outbox = Outbox(table, EventBridge(aws, settings.names.bus), clock)
    ports: dict[type, object] = {port: load(factory)(aws) for port, factory in service.ports.items()}
    ports[CursorKeys] = SecretCursorKeys(aws, settings.names.cursor_secret, clock)
    return Toolbox(service.name, table, outbox, clock, SystemIds(), ports)
