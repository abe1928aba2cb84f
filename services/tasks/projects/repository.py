"""The access patterns of projects and of their task numbers."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

from chassis.errors import AlreadyExists
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import Absent
from chassis.work.repository import Listing, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tasks.projects.model import Numbers, Project

PROJECTS = Listing(index=1, name="PROJECTS", shards=2)


class ProjectRepository(Repository[Project]):
    kind = "PROJECT"
    model = Project

    def lists(self, aggregate: Project) -> Sequence[ListEntry]:
        return [PROJECTS.entry(self.scope, aggregate.id, aggregate.key)]

    def add(self, unit: UnitOfWork, project: Project) -> Project:
        """Store a new project with its key, which is unique in the organization, and its numbers. The commit raises
        AlreadyExists if the key is taken."""
        taken = AlreadyExists(f"There is a project with the key {project.key} already; choose another one.")
        unit.put(self._key_item(project.key), {"project_id": project.id}, expect=Absent(), on_conflict=taken)
        NumbersRepository(self.scope).create(unit, Numbers(id=project.id))
        return self.create(unit, project)

    async def id_of(self, key: str) -> str | None:
        item = await self.scope.table.get(self._key_item(key))
        return None if item is None else str(item["project_id"])

    async def ids_of(self, keys: Iterable[str]) -> dict[str, str]:
        """The ids of the projects with these keys, by key; keys without a project are left out."""
        ids = {key: await self.id_of(key) for key in sorted(keys)}
        return {key: project_id for key, project_id in ids.items() if project_id is not None}

    def _key_item(self, key: str) -> Key:
        return self.scope.key("PROJECT_KEY", key)


class NumbersRepository(Repository[Numbers]):
    """The counter of a project's task numbers. It lies in the project's partition."""

    kind = "PROJECT"
    model = Numbers

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, id, "NUMBERS")

    async def take(self, unit: UnitOfWork, project_id: str, count: int = 1) -> int:
        """Take the project's next `count` numbers, in `unit`, and return the first of them. The commit raises Stale
        if somebody else took numbers in the meantime; numbers of a unit that is not committed are not used up."""
        numbers = await self.get(project_id)
        self.save(unit, numbers.model_copy(update={"last": numbers.last + count}))
        return numbers.last + 1

    async def take_each(self, unit: UnitOfWork, project_ids: Sequence[str]) -> list[int]:
        """Take a number from each of these projects, as `take` does, once for each time that a project is listed."""
        following = {
            project_id: itertools.count(await self.take(unit, project_id, count))
            for project_id, count in Counter(project_ids).items()
        }
        return [next(following[project_id]) for project_id in project_ids]
