"""The record of an event. Pure."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from chassis.work.repository import Aggregate

PREVIOUS = "previous_"


def canonical_json(value: Any) -> str:
    """The one JSON text of a value, whatever wrote it and in whatever order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def format_instant(moment: datetime) -> str:
    """A time in UTC, as text of a fixed length, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Instant = Annotated[
    datetime,
    AfterValidator(lambda moment: moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment),
    PlainSerializer(format_instant, when_used="json"),
]
# One text in the store: it is read exactly as it was written, to the last digit, which a hash over it needs.
JsonText = Annotated[
    dict[str, Any],
    BeforeValidator(lambda value: json.loads(value) if isinstance(value, str) else value),
    PlainSerializer(canonical_json, when_used="json"),
]


class Record(Aggregate):
    """One event as audit keeps it; `id` is the event's id. Unsealed until the sealer gives it its position in the
    chain.

    Everything but the version and the last three fields is sealed. A field that is added later must be None where its
    value is not known, or the hashes of older records would no longer match.
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

    def sealed_content(self) -> dict[str, Any]:
        """The fields that its hash covers."""
        unsealed = {"version", "seq", "previous_hash", "hash"}
        return self.model_dump(mode="json", exclude_none=True, exclude=unsealed)

    def changes(self) -> dict[str, dict[str, Any]]:
        """Old and new values: those that the event has as `previous_x` and `x`."""
        return {
            name.removeprefix(PREVIOUS): {"old": old, "new": self.data.get(name.removeprefix(PREVIOUS))}
            for name, old in self.data.items()
            if name.startswith(PREVIOUS)
        }
