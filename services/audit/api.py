"""HTTP: parse, authorize, call, render."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from chassis.http.guard import Guard
from chassis.http.route import Route
from chassis.http.times import Moment
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.audit import usecases, verifier
from services.audit.model import Record, Verification
from services.audit.permissions import PERMISSIONS
from services.audit.repository import Search

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=Route)
guard = Guard(PERMISSIONS)


class Resource(BaseModel):
    kind: str
    id: str


class Change(BaseModel):
    old: Any
    new: Any


class RecordView(BaseModel):
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


def search(
    actor: Annotated[str | None, Query(max_length=128, description="a user's id, or `system`")] = None,
    action: Annotated[str | None, Query(max_length=128, description="an event type")] = None,
    resource_id: Annotated[str | None, Query(max_length=320)] = None,
    resource_kind: Annotated[str | None, Query(max_length=64, description="such as `task`")] = None,
    since: Annotated[Moment | None, Query(description="from then on")] = None,
    until: Annotated[Moment | None, Query(description="before then")] = None,
) -> Search:
    return Search(actor, action, resource_kind, resource_id, since, until)


@router.get("/records")
async def list_audit_records(
    scope: Annotated[OrgScope, Depends(guard("audit.record.list"))],
    wanted: Annotated[Search, Depends(search)],
    page: Annotated[PageRequest, Depends()],
) -> Page[RecordView]:
    """The organization's records, newest first. A page can be short, or empty, and still have a `next`."""
    found = await usecases.list_records(scope, wanted, page)
    return Page(items=[RecordView.of(record) for record in found.items], next=found.next)


@router.get("/verification")
async def verify_audit_chain(scope: Annotated[OrgScope, Depends(guard("audit.chain.verify"))]) -> Verification:
    """Whether the organization's records are the ones that were sealed, all of them and in that order."""
    return await verifier.verify(scope)
