"""HTTP: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.guard import Guard
from chassis.http.route import Route
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.analytics import usecases
from services.analytics.model import PersonFigures, ProjectFigures
from services.analytics.permissions import PERMISSIONS

router = APIRouter(prefix="/v1/analytics", tags=["analytics"], route_class=Route)
guard = Guard(PERMISSIONS)


@router.get("/projects")
async def list_project_figures(
    scope: Annotated[OrgScope, Depends(guard("analytics.project.list"))], page: Annotated[PageRequest, Depends()]
) -> Page[ProjectFigures]:
    """Open, done and throughput of each project."""
    return await usecases.list_projects(scope, page)


@router.get("/people")
async def list_person_figures(
    scope: Annotated[OrgScope, Depends(guard("analytics.person.list"))], page: Annotated[PageRequest, Depends()]
) -> Page[PersonFigures]:
    """Open, done and throughput of each person."""
    return await usecases.list_people(scope, page)
