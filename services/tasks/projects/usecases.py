"""Creating and reading projects."""

from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.tasks.projects.model import Project
from services.tasks.projects.repository import PROJECTS, ProjectRepository


async def create_project(scope: OrgScope, key: str, name: str) -> Project:
    """Create a project, led by its creator. Raises AlreadyExists if the organization has a project with this key."""
    project = Project(
        id=scope.new_id("proj"), key=key, name=name, lead_id=scope.actor.person_id, created_at=scope.now()
    )
    unit = scope.unit_of_work()
    saved = ProjectRepository(scope).add(unit, project)
    unit.publish(saved.created_event(), version=saved.version)
    return await unit.answer(saved)


async def read_project(scope: OrgScope, project_id: str) -> Project:
    return await ProjectRepository(scope).get(project_id)


async def list_projects(scope: OrgScope, request: PageRequest) -> Page[Project]:
    """The projects in the order of their keys."""
    return await ProjectRepository(scope).page(PROJECTS, request)
