"""The message that every consumer gets: about 600 bytes of JSON, and its model."""

import json
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Assigned(BaseModel):
    """The data of the event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_id: UUID
    title: str
    assignee_id: UUID
    labels: list[str]
    due: datetime | None = None


class Envelope(BaseModel):
    """A CloudEvents envelope, as between services."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    specversion: str
    id: UUID
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: str
    orgid: UUID
    actorid: UUID
    traceparent: str
    data: Assigned


def body(number: int = 0) -> str:
    """The JSON of one message; `number` makes it unique."""
    return json.dumps(content(number), separators=(",", ":"))


def content(number: int = 0) -> dict[str, object]:
    """The message as plain values, for libraries that serialise it themselves."""
    return {
        "specversion": "1.0",
        "id": f"019a4c5e-7d31-7c3a-9f0e-{number:012d}",
        "source": "tenfold.tasks",
        "type": "tasks.task.assigned.v1",
        "time": "2026-03-01T12:30:15.123456Z",
        "subject": "019a4c5e-7d31-7c3a-9f0e-5d1c2b3a4f5e",
        "datacontenttype": "application/json",
        "orgid": "019a4c5e-0000-7c3a-9f0e-5d1c2b3a4f5e",
        "actorid": "019a4c5e-1111-7c3a-9f0e-5d1c2b3a4f5e",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {
            "task_id": "019a4c5e-2222-7c3a-9f0e-5d1c2b3a4f5e",
            "title": "Call the customer back",
            "assignee_id": "019a4c5e-3333-7c3a-9f0e-5d1c2b3a4f5e",
            "labels": ["urgent", "phone"],
            "due": "2026-03-02T09:00:00Z",
        },
    }
