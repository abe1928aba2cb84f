"""What tasks reads of its own events: imports that were asked for."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from contracts.common import ImportId
from contracts.reads import Reads
from contracts.tasks import v1 as tasks
from services.tasks.usecases import importing


class Requested(Reads[tasks.ImportRequested]):
    import_id: ImportId


imports = Subscription("imports", visibility=20, concurrency=2)


@imports.on(Requested)
async def work_off(event: Requested, ctx: EventContext) -> None:
    await importing.work_off(ctx.scope, event.import_id)
