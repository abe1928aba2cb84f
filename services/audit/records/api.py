"""Routes of the trail."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.http.times import Moment
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.audit.permissions import guard
from services.audit.records import usecases
from services.audit.records.repository import Search
from services.audit.records.schemas import RecordView

router = APIRouter(prefix="/v1/audit/records", tags=["audit"], route_class=Route)


def search_of_query(
    actor: Annotated[str | None, Query(max_length=128, description="a user's id, or `system`")] = None,
    action: Annotated[str | None, Query(max_length=128, description="an event type")] = None,
    resource_id: Annotated[str | None, Query(max_length=320)] = None,
    resource_kind: Annotated[str | None, Query(max_length=64, description="such as `task`")] = None,
    since: Annotated[Moment | None, Query(description="at this time or later")] = None,
    until: Annotated[Moment | None, Query(description="before this time")] = None,
) -> Search:
    return Search(actor, action, resource_kind, resource_id, since, until)


@router.get("")
async def list_audit_records(
    scope: Annotated[OrgScope, Depends(guard("audit.record.list"))],
    search: Annotated[Search, Depends(search_of_query)],
    page: Paged,
) -> Page[RecordView]:
    """The organization's records, newest first. A page can be short, or empty, and still have a `next`."""
    records = await usecases.list_records(scope, search, page)
    return records.map(RecordView.of)
