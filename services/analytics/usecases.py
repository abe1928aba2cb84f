"""What analytics does: one atomic change of counters an event, and lists of them."""

from datetime import date

from chassis.context import OrgScope
from chassis.repository import Page, PageRequest
from contracts.common import TaskStatus
from services.analytics import model
from services.analytics.model import Change, PersonFigures, ProjectFigures
from services.analytics.repository import FiguresRepository


async def name_project(scope: OrgScope, project_id: str, key: str, name: str) -> None:
    unit = scope.unit()
    FiguresRepository(scope).add_to_project(unit, project_id, Change(), {"key": key, "name": name})
    await unit.commit()


async def count_created(scope: OrgScope, project_id: str, status: TaskStatus, day: date) -> None:
    unit = scope.unit()
    FiguresRepository(scope).add_to_project(unit, project_id, model.task_created(status, day))
    await unit.commit()


async def count_assigned(scope: OrgScope, assignee_id: str, status: TaskStatus) -> None:
    unit = scope.unit()
    FiguresRepository(scope).add_to_person(unit, assignee_id, model.task_assigned(status))
    await unit.commit()


async def count_unassigned(scope: OrgScope, assignee_id: str, status: TaskStatus) -> None:
    unit = scope.unit()
    FiguresRepository(scope).add_to_person(unit, assignee_id, model.task_unassigned(status))
    await unit.commit()


async def count_moved(
    scope: OrgScope, project_id: str, assignee_ids: list[str], previous: TaskStatus, status: TaskStatus, day: date
) -> None:
    """The project's figures and every assignee's change together."""
    change = model.status_changed(previous, status, day)
    unit, figures = scope.unit(), FiguresRepository(scope)
    figures.add_to_project(unit, project_id, change)
    for assignee_id in assignee_ids:
        figures.add_to_person(unit, assignee_id, change)
    await unit.commit()


async def list_projects(scope: OrgScope, request: PageRequest) -> Page[ProjectFigures]:
    return await FiguresRepository(scope).projects(request)


async def list_people(scope: OrgScope, request: PageRequest) -> Page[PersonFigures]:
    return await FiguresRepository(scope).people(request)
