"""The fields that notify reads of other services' events; it depends on no others."""

from datetime import date, datetime

from contracts.common import ImportId, InvitationId, Role, TaskId, UserId
from contracts.reads import Reads
from contracts.tasks import v1 as tasks
from contracts.tenancy import v1 as tenancy


class Assigned(Reads[tasks.TaskAssigned]):
    task_id: TaskId
    title: str
    due_on: date | None = None
    assignee_id: UserId
    assigned_by: UserId
    import_id: ImportId | None = None


class Commented(Reads[tasks.CommentAdded]):
    task_id: TaskId
    task_title: str
    author_id: UserId
    text: str
    mentioned_ids: list[UserId]


class Invited(Reads[tenancy.InvitationCreated]):
    invitation_id: InvitationId
    email: str
    role: Role
    org_name: str
    inviter_name: str
    token: str
    expires_at: datetime


class Imported(Reads[tasks.ImportCompleted]):
    import_id: ImportId
    requested_by: UserId
    created: int
    failed: int
    assigned: dict[UserId, int]
