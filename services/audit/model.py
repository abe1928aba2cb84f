"""What audit keeps: records, and the chain that seals them. Pure."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainSerializer

from chassis.work.repository import Aggregate

PREVIOUS = "previous_"


def canonical(value: Any) -> str:
    """The one JSON text of a value, whatever wrote it and in whatever order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def instant(moment: datetime) -> str:
    """A time in UTC and always as long, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


Instant = Annotated[datetime, AfterValidator(_aware), PlainSerializer(instant, when_used="json")]
# One text in the store: it comes back as it went, to the last digit, which a hash over it needs.
JsonText = Annotated[dict[str, Any], BeforeValidator(_parsed), PlainSerializer(canonical, when_used="json")]


class Record(Aggregate):
    """One event as audit keeps it; `id` is the event's id. Unsealed until the sealer gave it its place in the chain.

    All but the version and the three last fields is sealed. A field added later must be None where it is not known,
    or the records of before would no longer have their hash.
    """

    org_id: str
    at: Instant
    recorded_at: Instant
    actor: str
    action: str
    resource_kind: str
    resource_id: str
    data: JsonText
    client_ip: str | None = None
    user_agent: str | None = None
    correlation_id: str
    causation_id: str | None = None
    trace_id: str | None = None

    seq: int | None = None
    previous_hash: str | None = None
    hash: str | None = None

    def content(self) -> dict[str, Any]:
        """What is sealed of it."""
        unsealed = {"version", "seq", "previous_hash", "hash"}
        return self.model_dump(mode="json", exclude_none=True, exclude=unsealed)

    def changes(self) -> dict[str, dict[str, Any]]:
        """Old and new values: what an event says as `previous_x` and `x`."""
        return {
            name.removeprefix(PREVIOUS): {"old": old, "new": self.data.get(name.removeprefix(PREVIOUS))}
            for name, old in self.data.items()
            if name.startswith(PREVIOUS)
        }


class Link(BaseModel):
    """One record's place in the chain."""

    record_id: str
    content_hash: str


class Block(Aggregate):
    """What one run of the sealer linked: records `first`, `first + 1`, ... in this order. Never changed again.

    `hash` is the hash of its last record, and so the next block's `previous_hash`.
    """

    first: int
    previous_hash: str
    links: list[Link]
    hash: str


class Head(Aggregate):
    """Where an organization's chain ends: `sealed` records in `blocks` blocks, the last with this hash."""

    id: str = "chain"
    sealed: int = 0
    blocks: int = 0
    hash: str = "0" * 64


class Verification(BaseModel):
    """Whether an organization's records are the ones that were sealed.

    `unsealed` records are recent: the chain says nothing of them yet. `broken_at` is the lowest number in the chain
    where something is wrong; it is absent when that something never had a number.
    """

    org_id: str
    sealed: int
    unsealed: int
    valid: bool
    head: str | None = None
    broken_at: int | None = None
    reason: str | None = None
