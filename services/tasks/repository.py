"""The access patterns of the tasks table, all of them inside one organization."""

from collections.abc import Sequence

from chassis.errors import AlreadyExists
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import Absent, Anything, AtVersion
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tasks.concurrency import gathered
from services.tasks.model import Comment, Import, Numbers, Plan, Project, RowError, Task
from services.tasks.rows import MAX_CHUNKS, Chunk

PROJECTS = Listing(index=1, name="PROJECTS", shards=2)
TASKS = Listing(index=1, name="TASKS", shards=4)
ASSIGNED = Listing(index=1, name="ASSIGNED", shards=2)
COMMENTS = Listing(index=1, name="COMMENTS")
REPORT = "REPORT#"


class ProjectRepository(Repository[Project]):
    kind = "PROJECT"
    model = Project

    def lists(self, aggregate: Project) -> Sequence[ListEntry]:
        return [PROJECTS.entry(self.scope, aggregate.id, aggregate.key)]

    def add(self, unit: UnitOfWork, project: Project) -> Project:
        """Store a new project with its key, which may exist once in the organization, and its numbers."""
        taken = AlreadyExists(f"There is a project with the key {project.key} already; choose another one.")
        unit.put(self._key_item(project.key), {"project_id": project.id}, expect=Absent(), on_conflict=taken)
        NumbersRepository(self.scope).create(unit, Numbers(id=project.id))
        return self.create(unit, project)

    async def id_of(self, key: str) -> str | None:
        item = await self.scope.table.get(self._key_item(key))
        return None if item is None else str(item["project_id"])

    def _key_item(self, key: str) -> Key:
        return self.scope.key("PROJECT_KEY", key)


class NumbersRepository(Repository[Numbers]):
    """The counter of a project's task numbers, beside the project."""

    kind = "PROJECT"
    model = Numbers

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, id, "NUMBERS")

    async def take(self, unit: UnitOfWork, project_id: str, count: int = 1) -> int:
        """Take the project's next `count` numbers, in `unit`, and return the first of them. The commit raises Stale
        when somebody else took them meanwhile; numbers of a unit that is not committed are not used up."""
        numbers = await self.get(project_id)
        self.save(unit, numbers.model_copy(update={"last": numbers.last + count}))
        return numbers.last + 1


class TaskRepository(Repository[Task]):
    """Tasks, and one small item for each (task, assignee), by which a person's tasks are listed."""

    kind = "TASK"
    model = Task

    def lists(self, aggregate: Task) -> Sequence[ListEntry]:
        return [TASKS.entry(self.scope, aggregate.id, f"{aggregate.number:08d}", of=aggregate.project_id)]

    def add(self, unit: UnitOfWork, task: Task) -> Task:
        """Store a new task with its assignments. The commit raises AlreadyExists if there is one with its id."""
        saved = self.create(unit, task)
        for user_id in task.assignee_ids:
            self.assign(unit, task, user_id)
        return saved

    def assign(self, unit: UnitOfWork, task: Task, user_id: str) -> None:
        place = ASSIGNED.entry(self.scope, task.id, task.created_at.isoformat(), of=user_id)
        values = {"task_id": task.id, "user_id": user_id, "assigned_at": self.scope.now().isoformat()}
        unit.put(self._assignment(task.id, user_id), values, expect=Anything(), lists=[place])

    def unassign(self, unit: UnitOfWork, task: Task, user_id: str) -> None:
        unit.delete(self._assignment(task.id, user_id))

    async def of_project(self, project_id: str, request: PageRequest) -> Page[Task]:
        return await self.page(TASKS, request, project_id)

    async def of_assignee(self, user_id: str, request: PageRequest) -> Page[Task]:
        """In the order in which the tasks were made."""
        page = await ASSIGNED.page(self.scope, request, user_id)
        found = await gathered([self.find(item["task_id"]) for item in page.items])
        # A list index follows its table with a short delay: what was taken away meanwhile may still stand in it.
        current = [task for task in found if task is not None and user_id in task.assignee_ids]
        return Page(items=current, next=page.next)

    def _assignment(self, task_id: str, user_id: str) -> Key:
        return self.scope.key(self.kind, task_id, f"ASSIGNEE#{user_id}")


class CommentRepository(Repository[Comment]):
    kind = "COMMENT"
    model = Comment

    def lists(self, aggregate: Comment) -> Sequence[ListEntry]:
        return [COMMENTS.entry(self.scope, aggregate.id, aggregate.created_at.isoformat(), of=aggregate.task_id)]

    async def of_task(self, task_id: str, request: PageRequest) -> Page[Comment]:
        return await self.page(COMMENTS, request, task_id)


class ImportRepository(Repository[Import]):
    """An import shares its partition with its chunks, which go when they are worked off, and with its report."""

    kind = "IMPORT"
    model = Import

    def add(self, unit: UnitOfWork, imported: Import, chunks: Sequence[Chunk]) -> Import:
        for chunk in chunks:
            unit.put(self._chunk(imported.id, chunk.index), chunk, expect=Absent())
        return self.create(unit, imported)

    async def chunk(self, import_id: str, index: int) -> Chunk | None:
        item = await self.scope.table.get(self._chunk(import_id, index))
        return None if item is None else Chunk.model_validate(item)

    def decide(self, unit: UnitOfWork, import_id: str, chunk: Chunk, plan: Plan) -> None:
        """Put the plan in the place of the rows, unless another delivery decided first (Stale)."""
        unit.put(self._chunk(import_id, chunk.index), chunk.planned(plan), expect=AtVersion(chunk.version))

    def advance(self, unit: UnitOfWork, imported: Import, plan: Plan) -> Import:
        """Count a chunk that is worked off, keep its errors, and drop it."""
        unit.delete(self._chunk(imported.id, imported.done))
        if plan.errors:
            report = {"errors": [error.model_dump() for error in plan.errors]}
            unit.put(self.scope.key(self.kind, imported.id, f"{REPORT}{imported.done:04d}"), report, expect=Absent())
        return self.save(unit, imported.advanced(plan))

    async def errors(self, imported: Import) -> list[RowError]:
        """The report of the chunks that `imported` counts."""
        partition = self.key(imported.id).pk
        reports = await self.scope.table.query(
            partition, after=REPORT, before=f"{REPORT}{imported.done:04d}", limit=MAX_CHUNKS
        )
        return [RowError.model_validate(error) for report in reports for error in report["errors"]]

    def _chunk(self, import_id: str, index: int) -> Key:
        return self.scope.key(self.kind, import_id, f"CHUNK#{index:04d}")
