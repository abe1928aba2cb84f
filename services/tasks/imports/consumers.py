"""The subscription `imports`: requested imports are processed."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from contracts.common import ImportId
from contracts.reads import Reads
from contracts.tasks import v1 as tasks
from services.tasks.imports import usecases


class RequestedImport(Reads[tasks.ImportRequested]):
    import_id: ImportId


imports = Subscription("imports", visibility=20, concurrency=2)


@imports.on(RequestedImport)
async def process_import(event: RequestedImport, ctx: EventContext) -> None:
    await usecases.process_import(ctx.scope, event.import_id)
