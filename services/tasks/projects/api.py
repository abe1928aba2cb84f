"""HTTP routes of projects: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged, PathId
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.tasks.permissions import guard
from services.tasks.projects import usecases
from services.tasks.projects.schemas import NewProject, ProjectView

router = APIRouter(prefix="/v1/projects", tags=["tasks"], route_class=Route)


@router.post("", status_code=201)
async def create_project(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.create"))], body: NewProject
) -> ProjectView:
    """A project, led by whoever makes it. Its key is unique in the organization."""
    return ProjectView.of(await usecases.create_project(scope, body.key, body.name))


@router.get("")
async def list_projects(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.list"))], page: Paged
) -> Page[ProjectView]:
    """The organization's projects, by key."""
    return (await usecases.list_projects(scope, page)).map(ProjectView.of)


@router.get("/{project_id}")
async def read_project(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.read"))], project_id: PathId
) -> ProjectView:
    """One project."""
    return ProjectView.of(await usecases.read_project(scope, project_id))
