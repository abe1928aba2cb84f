"""Events that notify consumes."""

from datetime import UTC, date, datetime

from contracts.common import Priority, Role, TaskStatus
from contracts.tasks import v1 as tasks
from contracts.tenancy import v1 as tenancy

TOKEN = "tok_9f8e7d6c5b4a39281706"


def assigned(
    to: str = "user_bo", by: str = "user_ada", *, title: str = "Ship the web shop", import_id: str | None = None
) -> tasks.TaskAssigned:
    return tasks.TaskAssigned(
        task_id="task_1",
        project_id="proj_web",
        title=title,
        status=TaskStatus.OPEN,
        priority=Priority.LOW,
        due_on=date(2026, 12, 1),
        assignee_id=to,
        assigned_by=by,
        import_id=import_id,
    )


def commented(*mentioned: str, text: str = "Please look\nat this", by: str = "user_ada") -> tasks.CommentAdded:
    return tasks.CommentAdded(
        comment_id="cmt_1",
        task_id="task_1",
        project_id="proj_web",
        task_title="Ship the web shop",
        author_id=by,
        text=text,
        mentioned_ids=list(mentioned),
    )


def invited(email: str = "new@acme.example", *, org_name: str = "Acme") -> tenancy.InvitationCreated:
    return tenancy.InvitationCreated(
        invitation_id="inv_1",
        email=email,
        role=Role.MANAGER,
        org_name=org_name,
        inviter_id="user_ada",
        inviter_name="Ada Lovelace",
        token=TOKEN,
        expires_at=datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
    )


def imported(assigned: dict[str, int], *, created: int = 312, failed: int = 5) -> tasks.ImportCompleted:
    return tasks.ImportCompleted(
        import_id="imp_1", requested_by="user_ada", created=created, failed=failed, assigned=assigned
    )
