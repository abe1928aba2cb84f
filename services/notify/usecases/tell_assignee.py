"""A task was assigned."""

from chassis.work.scope import OrgScope
from services.notify.model import Kind
from services.notify.ports import Letter
from services.notify.reads import Assigned
from services.notify.usecases.telling import Message, Note, Occasion, called, name_of, people, tell


async def tell_assignee(scope: OrgScope, occasion: Occasion, event: Assigned) -> None:
    """In the product always; by e-mail unless an import assigned it, which tells its assignees once at its end.
    Who took the task themselves knows it. Raises NotYet while the assignee is not known here."""
    if event.assigned_by == event.assignee_id:
        return
    [assignee] = await people(scope, [event.assignee_id])
    by = await name_of(scope, event.assigned_by)
    due = f"{event.due_on:%d %B %Y}".lstrip("0") if event.due_on else None
    note = Note(
        kind=Kind.ASSIGNED,
        subject_id=event.task_id,
        title=f"New task: {event.title}",
        body=f"{by} gave it to you, due on {due}." if due else f"{by} gave it to you.",
    )
    letter = Letter(
        template="assigned",
        subject=f"New task: {event.title}",
        path=f"/tasks/{event.task_id}",
        values={"name": called(assignee), "title": event.title, "by": by, "due": due},
    )
    message = Message(
        assignee.id, assignee.email, note, letter=None if event.import_id else letter, left=not assignee.active
    )
    await tell(scope, occasion, [message])
