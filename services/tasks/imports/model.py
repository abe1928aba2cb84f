"""Imports: their rows and chunks, what becomes of them, and events. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter

from chassis.work.repository import Aggregate
from contracts.common import Priority
from contracts.tasks import v1 as events
from services.tasks.tasks.model import Task

MAX_CHUNKS = 90
"""All chunks, the import and its event are one transaction of at most 100 items. 5000 rows and 1 MB make at most 62."""


class Row(BaseModel):
    """A data row as it was sent; `row` counts from 1. `surplus` says why its cells can't be told apart."""

    row: int
    cells: dict[str, str]
    surplus: str | None = None


class RowError(BaseModel):
    """An error in a field of a data row (counted from 1), with what to do about it."""

    row: int
    field: str
    message: str


class PlannedTask(BaseModel):
    """A good row of an import with all that was decided about it."""

    row: int
    number: int = 0
    project_id: str
    title: str
    description: str
    priority: Priority
    due_on: date | None
    labels: list[str]
    assignee_id: str | None

    def with_number(self, number: int) -> "PlannedTask":
        return self.model_copy(update={"number": number})


class ChunkPlan(BaseModel):
    """The tasks that the rows of one chunk become, and the errors of the rows that become none."""

    tasks: list[PlannedTask]
    errors: list[RowError]

    @property
    def bad_rows(self) -> int:
        """The number of bad rows; one row may have several errors."""
        return len({error.row for error in self.errors})


_ROWS = TypeAdapter(list[Row])


class Chunk(BaseModel):
    """A part of an import's rows, later the plan for them. `content` is JSON text: as one attribute it costs the store,
    and us, a fraction of thousands of them."""

    index: int
    content: str
    is_planned: bool = False
    version: int = 1

    def rows(self) -> list[Row]:
        return _ROWS.validate_json(self.content)

    def plan(self) -> ChunkPlan:
        return ChunkPlan.model_validate_json(self.content)

    def with_plan(self, plan: ChunkPlan) -> "Chunk":
        return Chunk(index=self.index, content=plan.model_dump_json(), is_planned=True, version=self.version + 1)


class Import(Aggregate):
    """Rows that become tasks, in `chunks` parts, of which `done` are processed."""

    requested_by: str
    status: Literal["running", "completed"] = "running"
    rows: int
    chunks: int
    done: int = 0
    created: int = 0
    failed: int = 0
    assigned: dict[str, int] = Field(default_factory=dict)
    created_at: datetime
    completed_at: datetime | None = None

    def count(self, plan: ChunkPlan) -> "Import":
        """The import with one more chunk processed."""
        assigned = dict(self.assigned)
        for task in plan.tasks:
            if task.assignee_id is not None:
                assigned[task.assignee_id] = assigned.get(task.assignee_id, 0) + 1
        changes = {
            "done": self.done + 1,
            "created": self.created + len(plan.tasks),
            "failed": self.failed + plan.bad_rows,
            "assigned": assigned,
        }
        return self.model_copy(update=changes)

    def complete(self, now: datetime) -> "Import":
        return self.model_copy(update={"status": "completed", "completed_at": now})

    def task_of(self, row: PlannedTask, now: datetime) -> Task:
        """The task of a row. Its id follows from the import and the row, so that a repetition meets the same task."""
        return Task(
            id=f"task_{self.id.removeprefix('imp_')}{row.row:05d}",
            project_id=row.project_id,
            number=row.number,
            title=row.title,
            description=row.description,
            priority=row.priority,
            due_on=row.due_on,
            labels=row.labels,
            assignee_ids=[row.assignee_id] if row.assignee_id else [],
            created_by=self.requested_by,
            import_id=self.id,
            created_at=now,
            updated_at=now,
        )

    def requested_event(self) -> events.ImportRequested:
        return events.ImportRequested(import_id=self.id, rows=self.rows, requested_by=self.requested_by)

    def completed_event(self) -> events.ImportCompleted:
        return events.ImportCompleted(
            import_id=self.id,
            requested_by=self.requested_by,
            created=self.created,
            failed=self.failed,
            assigned=self.assigned,
        )


@dataclass(frozen=True)
class ImportProgress:
    """An import, and the errors of the chunks that it counts as done."""

    imported: Import
    errors: tuple[RowError, ...] = ()
