"""HTTP routes of figures: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.analytics.figures import usecases
from services.analytics.figures.schemas import PersonFiguresView, ProjectFiguresView
from services.analytics.permissions import guard

router = APIRouter(prefix="/v1/analytics", tags=["analytics"], route_class=Route)


@router.get("/projects")
async def list_project_figures(
    scope: Annotated[OrgScope, Depends(guard("analytics.project.list"))], page: Paged
) -> Page[ProjectFiguresView]:
    """Open, done and throughput of each project."""
    return (await usecases.list_projects(scope, page)).map(ProjectFiguresView.of)


@router.get("/people")
async def list_person_figures(
    scope: Annotated[OrgScope, Depends(guard("analytics.person.list"))], page: Paged
) -> Page[PersonFiguresView]:
    """Open, done and throughput of each person."""
    return (await usecases.list_people(scope, page)).map(PersonFiguresView.of)
