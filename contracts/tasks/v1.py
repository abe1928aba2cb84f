"""Events of the tasks service, version 1."""

from datetime import date
from typing import Literal

from contracts.access import Denial, KeyUse
from contracts.common import CommentId, ImportId, Priority, ProjectId, TaskId, TaskStatus, UserId
from contracts.event import Event


class ProjectCreated(Event, type="tasks.project.created.v1", subject="project_id"):
    """A project was created. Analytics shows its name beside its figures; audit records it."""

    project_id: ProjectId
    key: str
    name: str
    lead_id: UserId


class TaskCreated(Event, type="tasks.task.created.v1", subject="task_id"):
    """A task was created. Analytics counts it; audit records it. Its assignments follow as separate events."""

    task_id: TaskId
    project_id: ProjectId
    number: int
    title: str
    status: TaskStatus
    priority: Priority
    due_on: date | None = None
    import_id: ImportId | None = None


class TaskAssigned(Event, type="tasks.task.assigned.v1", subject="task_id"):
    """A task was assigned to a member. Notify informs them, unless they did it; analytics counts their load."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    status: TaskStatus
    """The status at the time of the assignment. It decides whether the task counts as open work of the assignee."""
    priority: Priority
    due_on: date | None = None
    assignee_id: UserId
    assigned_by: UserId
    import_id: ImportId | None = None
    """The import that assigned the task, if any. Assignees of an import get one e-mail when it is done."""


class TaskUnassigned(Event, type="tasks.task.unassigned.v1", subject="task_id"):
    """A task is no longer assigned to a member. Analytics subtracts it from their load; audit records it."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    status: TaskStatus
    assignee_id: UserId


class TaskStatusChanged(Event, type="tasks.task.status_changed.v1", subject="task_id"):
    """The status of a task changed. Analytics counts open and done tasks per project and per assignee."""

    task_id: TaskId
    project_id: ProjectId
    title: str
    previous_status: TaskStatus
    status: TaskStatus
    assignee_ids: list[UserId]


class CommentAdded(Event, type="tasks.comment.added.v1", subject="comment_id"):
    """A comment was added to a task. Notify informs the people that it mentions; audit records it."""

    comment_id: CommentId
    task_id: TaskId
    project_id: ProjectId
    task_title: str
    author_id: UserId
    text: str
    mentioned_ids: list[UserId]


class ImportRequested(Event, type="tasks.import.requested.v1", subject="import_id"):
    """An import of tasks was requested. The tasks service itself processes it, so that it resumes after a crash."""

    import_id: ImportId
    rows: int
    requested_by: UserId


class ImportCompleted(Event, type="tasks.import.completed.v1", subject="import_id"):
    """An import is done: every row is a task or in the report. Notify informs the importer, and each assignee once."""

    import_id: ImportId
    requested_by: UserId
    created: int
    failed: int
    assigned: dict[UserId, int]
    """The number of tasks that were assigned to each member."""
    outcome: Literal["completed"] = "completed"


class AccessDenied(Denial, Event, type="tasks.access.denied.v1", subject="actor_id"):
    """The tasks service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="tasks.api_key.used.v1", subject="key_id"):
    """A program used its API key in the tasks service. Identity shows the last use of the key; audit records it."""
