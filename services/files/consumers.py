"""What files reads: the store's own events, and that a file is confirmed."""

import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from chassis.declare.subscription import ExternalEvent, ExternalSubscription, Subscription
from chassis.errors import Rejected
from chassis.work.scope import EventContext
from contracts.common import FileId
from contracts.files import v1 as files
from contracts.reads import Reads
from services.files import usecases
from services.files.repository import ORIGINAL

_KEY = re.compile(r"(?P<org>org_[0-9a-z]{1,64})/(?P<file>file_[0-9a-z]{1,64})/(?P<name>[a-z.]{1,32})")


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str
    version: str | None = Field(default=None, alias="version-id")
    etag: str = ""
    sequencer: str = ""


class _Created(BaseModel):
    """What we read of https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (`detail`)."""

    bucket: _Bucket
    object: _Object


class ObjectCreated(BaseModel):
    """An object of an organization's file. `version` is absent where the store's events do not carry it."""

    file_id: FileId
    name: str
    version: str | None


def understand(raw: dict[str, Any]) -> ExternalEvent:
    """Raises Rejected for what is no object of ours."""
    try:
        created = _Created.model_validate(raw["detail"])
    except ValidationError as error:
        raise Rejected("The event names no object.") from error
    made = created.object
    key = _KEY.fullmatch(made.key)
    if key is None:
        raise Rejected(f"{made.key[:200]!r} is no key of a file.")
    return ExternalEvent(
        id=f"{created.bucket.name}/{made.key}#{made.version or made.etag}#{made.sequencer}",
        org_id=key["org"],
        data=ObjectCreated(file_id=key["file"], name=key["name"], version=made.version),
    )


objects = ExternalSubscription(
    "objects",
    source="aws.s3",
    detail_type="Object Created",
    detail={"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"suffix": f"/{ORIGINAL}"}]}},
    adapter=understand,
)


@objects.handle
async def confirm_upload(event: ObjectCreated, ctx: EventContext) -> None:
    if event.name == ORIGINAL:  # what we derive from it arrives too where the bus knows no suffixes
        await usecases.confirm_upload(ctx.scope, event.file_id, event.version)


class Uploaded(Reads[files.FileUploaded]):
    file_id: FileId


processing = Subscription("processing", mode="every", visibility=30, concurrency=2)


@processing.on(Uploaded)
async def process(event: Uploaded, ctx: EventContext) -> None:
    await usecases.process_file(ctx.scope, event.file_id, receive_count=ctx.receive_count)
