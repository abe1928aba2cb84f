"""Events of the tasks service, version 1."""

from datetime import date
from typing import Literal

from contracts.access import Denial, KeyUse
from contracts.common import CommentId, ImportId, Priority, ProjectId, TaskId, TaskStatus, UserId
from contracts.event import Event


class ProjectCreated(Event, type="tasks.project.created.v1", subject="project_id"):
    """A project exists. Analytics names its figures by it; audit keeps it."""

    project_id: ProjectId
    key: str
    name: str
    lead_id: UserId


class TaskCreated(Event, type="tasks.task.created.v1", subject="task_id"):
    """There is something to do. Analytics counts it; audit keeps it. Its assignees follow as events of their own."""

    task_id: TaskId
    project_id: ProjectId
    number: int
    title: str
    status: TaskStatus
    priority: Priority
    due_on: date | None = None
    import_id: ImportId | None = None


class TaskAssigned(Event, type="tasks.task.assigned.v1", subject="task_id"):
    """A member has a task to do. Notify tells them, unless they gave it to themselves; analytics counts their load."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    status: TaskStatus
    """When it was assigned: what counts as open work for the assignee."""
    priority: Priority
    due_on: date | None = None
    assignee_id: UserId
    assigned_by: UserId
    import_id: ImportId | None = None
    """Set when an import assigned it: the assignee is told in one e-mail when the import is done."""


class TaskUnassigned(Event, type="tasks.task.unassigned.v1", subject="task_id"):
    """A member has a task no longer. Analytics takes it from their load; audit keeps it."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    status: TaskStatus
    assignee_id: UserId


class TaskStatusChanged(Event, type="tasks.task.status_changed.v1", subject="task_id"):
    """A task moved. Analytics counts what is open and done, for the project and for each assignee."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    previous_status: TaskStatus
    status: TaskStatus
    assignee_ids: list[UserId]


class CommentAdded(Event, type="tasks.comment.added.v1", subject="comment_id"):
    """Somebody said something about a task. Notify tells whom it mentions; audit keeps it."""

    comment_id: CommentId
    task_id: TaskId
    project_id: ProjectId
    task_title: str
    author_id: UserId
    text: str
    mentioned_ids: list[UserId]


class ImportRequested(Event, type="tasks.import.requested.v1", subject="import_id"):
    """Rows wait to become tasks. The tasks service itself works them off, so that a crash resumes where it was."""

    import_id: ImportId
    rows: int
    requested_by: UserId


class ImportCompleted(Event, type="tasks.import.completed.v1", subject="import_id"):
    """Every row is a task or stands in the report. Notify tells the importer, and each assignee once."""

    import_id: ImportId
    requested_by: UserId
    created: int
    failed: int
    assigned: dict[UserId, int]
    """How many tasks each member got."""
    outcome: Literal["completed"] = "completed"


class AccessDenied(Denial, Event, type="tasks.access.denied.v1", subject="actor_id"):
    """Somebody was refused by tasks in their own organization. Audit keeps it."""


class ApiKeyUsed(KeyUse, Event, type="tasks.api_key.used.v1", subject="key_id"):
    """A program used its API key in tasks. Identity shows when a key was last used; audit keeps it."""
