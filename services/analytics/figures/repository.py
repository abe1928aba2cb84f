"""The access patterns of figures: one item with counters for each project and each person."""

from collections.abc import Mapping
from typing import Any

from chassis.storage.keys import Key
from chassis.storage.table import Item
from chassis.work.repository import Listing, Page, PageRequest
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.analytics.figures.model import Change, PersonFigures, ProjectFigures

PROJECTS = Listing(index=1, name="PROJECTS", shards=2)
PEOPLE = Listing(index=1, name="PEOPLE", shards=2)
DAY = "done_on_"


class FiguresRepository:
    """Adds to counters and lists them. Nothing is read to be written back, so concurrent events do not collide."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope

    def add_to_project(
        self, unit: UnitOfWork, project_id: str, change: Change, names: Mapping[str, str] | None = None
    ) -> None:
        set_attributes = {"project_id": project_id, **(names or {})}
        self._add(unit, self._scope.key("PROJECT", project_id), change, set_attributes, PROJECTS, project_id)

    def add_to_person(self, unit: UnitOfWork, user_id: str, change: Change) -> None:
        self._add(unit, self._scope.key("PERSON", user_id), change, {"user_id": user_id}, PEOPLE, user_id)

    async def projects(self, request: PageRequest) -> Page[ProjectFigures]:
        page = await PROJECTS.page(self._scope, request)
        return Page(items=[ProjectFigures.model_validate(_values(item)) for item in page.items], next=page.next)

    async def people(self, request: PageRequest) -> Page[PersonFigures]:
        page = await PEOPLE.page(self._scope, request)
        return Page(items=[PersonFigures.model_validate(_values(item)) for item in page.items], next=page.next)

    def _add(
        self, unit: UnitOfWork, key: Key, change: Change, set_attributes: Mapping[str, Any], of: Listing, owner: str
    ) -> None:
        amounts = {"open": change.open, "done": change.done}
        amounts |= {
            name: value for name, value in (("created", change.created), ("assigned", change.assigned)) if value
        }
        if change.day is not None and change.done:
            amounts[f"{DAY}{change.day.isoformat()}"] = change.done
        unit.add(key, amounts, set_attributes=set_attributes, lists=[of.entry(self._scope, owner, "")])


def _values(item: Item) -> Item:
    days = {name.removeprefix(DAY): count for name, count in item.items() if name.startswith(DAY) and count}
    return {**item, "done_on": days}
