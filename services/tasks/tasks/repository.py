"""The access patterns of tasks and their assignments."""

from collections.abc import Sequence

from chassis.resilience.retry import gather_bounded
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import Anything
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tasks.tasks.model import Task

TASKS = Listing(index=1, name="TASKS", shards=4)
"""The tasks of a project by number, in the GSI `list1`."""
ASSIGNED = Listing(index=1, name="ASSIGNED", shards=2)
"""The tasks of an assignee, oldest first, in the GSI `list1`."""
READS_AT_ONCE = 16


class TaskRepository(Repository[Task]):
    """Tasks, and one small item for each (task, assignee), by which a person's tasks are listed."""

    kind = "TASK"
    model = Task

    def lists(self, aggregate: Task) -> Sequence[ListEntry]:
        return [TASKS.entry(self.scope, aggregate.id, f"{aggregate.number:08d}", of=aggregate.project_id)]

    def add(self, unit: UnitOfWork, task: Task) -> Task:
        """Store a new task with its assignments. The commit raises AlreadyExists if there is a task with its id."""
        saved = self.create(unit, task)
        for user_id in task.assignee_ids:
            self.assign(unit, task, user_id)
        return saved

    def assign(self, unit: UnitOfWork, task: Task, user_id: str) -> None:
        entry = ASSIGNED.entry(self.scope, task.id, task.created_at.isoformat(), of=user_id)
        values = {"task_id": task.id, "user_id": user_id, "assigned_at": self.scope.now().isoformat()}
        unit.put(self._assignment(task.id, user_id), values, expect=Anything(), lists=[entry])

    def unassign(self, unit: UnitOfWork, task: Task, user_id: str) -> None:
        unit.delete(self._assignment(task.id, user_id))

    async def of_project(self, project_id: str, request: PageRequest) -> Page[Task]:
        return await self.page(TASKS, request, project_id)

    async def of_assignee(self, user_id: str, request: PageRequest) -> Page[Task]:
        """The member's tasks in the order in which they were created."""
        page = await ASSIGNED.page(self.scope, request, user_id)
        ids = [item["task_id"] for item in page.items]
        tasks = await gather_bounded(ids, self.find, at_once=READS_AT_ONCE, stop_on_error=True)
        # A GSI follows its table with a short delay: it may still list a task that was taken away in the meantime.
        current = [task for task in tasks if task is not None and user_id in task.assignee_ids]
        return Page(items=current, next=page.next)

    def _assignment(self, task_id: str, user_id: str) -> Key:
        return self.scope.key(self.kind, task_id, f"ASSIGNEE#{user_id}")
