"""A task was assigned."""

from chassis.work.scope import OrgScope
from services.notify.inbox.model import Kind
from services.notify.notifications.model import InAppContent, Message, TriggeringEvent
from services.notify.notifications.reads import Assigned
from services.notify.notifications.usecases.notifying import display_name, find_members, name_of, notify
from services.notify.ports import EmailContent


async def notify_assignee(scope: OrgScope, trigger: TriggeringEvent, event: Assigned) -> None:
    """Notify the assignee, unless they took the task themselves: always in the app, and by e-mail unless an import
    assigned it, for which each assignee gets one e-mail at its end. Raises NotYet while the assignee is not known
    here."""
    if event.assigned_by == event.assignee_id:
        return
    [assignee] = await find_members(scope, [event.assignee_id])
    by = await name_of(scope, event.assigned_by)
    due = f"{event.due_on:%d %B %Y}".lstrip("0") if event.due_on else None
    in_app = InAppContent(
        kind=Kind.ASSIGNED,
        subject_id=event.task_id,
        title=f"New task: {event.title}",
        body=f"{by} assigned it to you, due on {due}." if due else f"{by} assigned it to you.",
    )
    email = EmailContent(
        template="assigned",
        subject=f"New task: {event.title}",
        path=f"/tasks/{event.task_id}",
        values={"name": display_name(assignee), "title": event.title, "by": by, "due": due},
    )
    message = Message(
        assignee.id,
        assignee.email,
        in_app,
        email=None if event.import_id else email,
        has_left=not assignee.active,
    )
    await notify(scope, trigger, [message])
