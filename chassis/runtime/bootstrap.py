"""What every process and every function of a service is made of. Nothing here serves HTTP or receives messages."""

from collections.abc import Callable

from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.aws.eventbridge import EventBridge
from chassis.clock import SystemClock, SystemIds
from chassis.declare.service import Service, load
from chassis.declare.settings import Settings
from chassis.storage.cursors import CursorKeys, SecretCursorKeys
from chassis.work.context import Toolbox
from chassis.work.outbox import Outbox
from chassis.work.projection_versions import GenerationalTable

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
