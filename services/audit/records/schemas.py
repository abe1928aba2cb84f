"""Views of records."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from chassis.http.schemas import View
from services.audit.records.model import Record


class Resource(BaseModel):
    kind: str
    id: str


class Change(BaseModel):
    old: Any
    new: Any


class RecordView(View):
    """One fact: who did what to which resource, when and from where. `seq` and the hashes come with its seal."""

    id: str
    org_id: str
    at: datetime
    recorded_at: datetime
    actor: str
    action: str
    resource: Resource
    changes: dict[str, Change]
    data: dict[str, Any]
    client_ip: str | None
    user_agent: str | None
    correlation_id: str
    causation_id: str | None
    trace_id: str | None
    seq: int | None
    previous_hash: str | None
    hash: str | None

    @classmethod
    def of(cls, record: Record) -> Self:
        values = {name: getattr(record, name) for name in cls.model_fields if name not in {"resource", "changes"}}
        resource = Resource(kind=record.resource_kind, id=record.resource_id)
        return cls(resource=resource, changes=record.changes(), **values)
