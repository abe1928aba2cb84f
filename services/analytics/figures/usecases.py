"""Counting events, one atomic change of counters per event, and listing the counters."""

from datetime import date, timedelta

from chassis.work.cache import Cached
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import TaskStatus
from services.analytics.figures import model
from services.analytics.figures.model import Change, PersonFigures, ProjectFigures
from services.analytics.figures.repository import FiguresRepository

PROJECTS: Cached[Page[ProjectFigures]] = Cached("figures of projects", timedelta(seconds=60))
PEOPLE: Cached[Page[PersonFigures]] = Cached("figures of people", timedelta(seconds=60))


async def name_project(scope: OrgScope, project_id: str, key: str, name: str) -> None:
    unit = scope.unit_of_work()
    FiguresRepository(scope).add_to_project(unit, project_id, Change(), {"key": key, "name": name})
    await unit.commit()
    PROJECTS.forget(scope)


async def count_created(scope: OrgScope, project_id: str, status: TaskStatus, day: date) -> None:
    unit = scope.unit_of_work()
    FiguresRepository(scope).add_to_project(unit, project_id, model.task_created(status, day))
    await unit.commit()
    PROJECTS.forget(scope)


async def count_assigned(scope: OrgScope, assignee_id: str, status: TaskStatus) -> None:
    unit = scope.unit_of_work()
    FiguresRepository(scope).add_to_person(unit, assignee_id, model.task_assigned(status))
    await unit.commit()
    PEOPLE.forget(scope)


async def count_unassigned(scope: OrgScope, assignee_id: str, status: TaskStatus) -> None:
    unit = scope.unit_of_work()
    FiguresRepository(scope).add_to_person(unit, assignee_id, model.task_unassigned(status))
    await unit.commit()
    PEOPLE.forget(scope)


async def count_moved(
    scope: OrgScope, project_id: str, assignee_ids: list[str], previous: TaskStatus, status: TaskStatus, day: date
) -> None:
    """Change the figures of the project and of every assignee, in one transaction."""
    change = model.status_changed(previous, status, day)
    unit, figures = scope.unit_of_work(), FiguresRepository(scope)
    figures.add_to_project(unit, project_id, change)
    for assignee_id in assignee_ids:
        figures.add_to_person(unit, assignee_id, change)
    await unit.commit()
    PROJECTS.forget(scope)
    PEOPLE.forget(scope)


async def list_projects(scope: OrgScope, request: PageRequest) -> Page[ProjectFigures]:
    """The figures of each project, from a cache of at most 60 s."""
    return await PROJECTS.get(scope, lambda: FiguresRepository(scope).projects(request), request.model_dump_json())


async def list_people(scope: OrgScope, request: PageRequest) -> Page[PersonFigures]:
    """The figures of each person, from a cache of at most 60 s."""
    return await PEOPLE.get(scope, lambda: FiguresRepository(scope).people(request), request.model_dump_json())
