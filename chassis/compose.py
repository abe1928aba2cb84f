"""What every process and every function of a service is made of. Nothing here serves HTTP or receives messages."""

import structlog

from awsjson import AwsError
from chassis.aws import Aws
from chassis.bus import EventBridge
from chassis.clock import SystemClock, SystemIds
from chassis.context import Toolbox
from chassis.dynamodb import DynamoTable
from chassis.errors import TenfoldError
from chassis.keys import Key
from chassis.outbox import Outbox
from chassis.service import Service, load
from chassis.settings import Settings

log = structlog.get_logger(__name__)


def make_tools(service: Service, settings: Settings, aws: Aws) -> Toolbox:
    """What every piece of work of this process uses."""
    clock = SystemClock()
    table = DynamoTable(aws, settings.names.table(service.name))
    outbox = Outbox(table, EventBridge(aws, settings.names.bus), clock)
    ports = {port: load(factory)(aws) for port, factory in service.ports.items()}
    return Toolbox(service.name, table, outbox, clock, SystemIds(), ports)


async def readiness(tools: Toolbox) -> str | None:
    """None, or the reason why the service cannot work now."""
    try:
        await tools.table.get(Key("READINESS"))
    except (TenfoldError, AwsError) as error:
        log.warning("not_ready", reason=repr(error))
        return f"the table can't be read: {error}"
    return None
