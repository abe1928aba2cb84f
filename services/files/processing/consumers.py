"""Subscriptions of processing: the service's own event that a file is confirmed."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from contracts.common import FileId
from contracts.files import v1 as files
from contracts.reads import Reads
from services.files.processing import usecases


class Uploaded(Reads[files.FileUploaded]):
    file_id: FileId


processing = Subscription("processing", mode="every", visibility=30, concurrency=2)


@processing.on(Uploaded)
async def process(event: Uploaded, ctx: EventContext) -> None:
    await usecases.process_file(ctx.scope, event.file_id, receive_count=ctx.receive_count)
