"""HTTP routes of people: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.tasks.people import usecases
from services.tasks.people.schemas import Assignee
from services.tasks.permissions import guard

router = APIRouter(prefix="/v1/assignees", tags=["tasks"], route_class=Route)


@router.get("")
async def list_assignees(
    scope: Annotated[OrgScope, Depends(guard("tasks.assignee.list"))], page: Paged
) -> Page[Assignee]:
    """The members that tasks can be assigned to."""
    return (await usecases.list_assignees(scope, page)).map(Assignee.of)
