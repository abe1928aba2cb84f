"""Subscriptions of uploads: the store's own events of objects."""

import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from chassis.declare.subscription import ExternalEvent, ExternalSubscription
from chassis.errors import Rejected
from chassis.work.scope import EventContext
from contracts.common import FileId
from services.files.uploads import usecases
from services.files.uploads.repository import ORIGINAL

_KEY = re.compile(r"(?P<org>org_[0-9a-z]{1,64})/(?P<file>file_[0-9a-z]{1,64})/(?P<name>[a-z.]{1,32})")


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str
    version: str | None = Field(default=None, alias="version-id")
    etag: str = ""
    sequencer: str = ""


class _Created(BaseModel):
    """The subset that is read of https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (`detail`)."""

    bucket: _Bucket
    object: _Object


class ObjectCreated(BaseModel):
    """An object of an organization's file. `version` is absent where the store's events do not carry it."""

    file_id: FileId
    name: str
    version: str | None


def parse_event(raw: dict[str, Any]) -> ExternalEvent:
    """Raises Rejected for an object that is not one of ours."""
    try:
        detail = _Created.model_validate(raw["detail"])
    except ValidationError as error:
        raise Rejected("The event names no object.") from error
    created = detail.object
    key = _KEY.fullmatch(created.key)
    if key is None:
        raise Rejected(f"{created.key[:200]!r} is not the key of a file.")
    return ExternalEvent(
        id=f"{detail.bucket.name}/{created.key}#{created.version or created.etag}#{created.sequencer}",
        org_id=key["org"],
        data=ObjectCreated(file_id=key["file"], name=key["name"], version=created.version),
    )


objects = ExternalSubscription(
    "objects",
    source="aws.s3",
    detail_type="Object Created",
    detail={"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"suffix": f"/{ORIGINAL}"}]}},
    adapter=parse_event,
)


@objects.handle
async def confirm_upload(event: ObjectCreated, ctx: EventContext) -> None:
    if event.name == ORIGINAL:  # what we derive from it arrives too where the bus knows no suffixes
        await usecases.confirm_upload(ctx.scope, event.file_id, event.version)
