"""An import was completed."""

from chassis.tenants.members import Member
from chassis.work.scope import OrgScope
from services.notify.inbox.model import Kind
from services.notify.notifications.model import InAppContent, Message, TriggeringEvent
from services.notify.notifications.reads import Imported
from services.notify.notifications.usecases.notifying import display_name, find_members, name_of, notify
from services.notify.ports import EmailContent


async def notify_of_import(scope: OrgScope, trigger: TriggeringEvent, event: Imported) -> None:
    """Send the counts to the person who requested the import, in the app and by e-mail. Each other assignee gets one
    e-mail; in the app they have been notified of each task. Raises NotYet while one of them is not known here."""
    assignees = sorted(user_id for user_id, count in event.assigned.items() if count > 0)
    requester, *others = await find_members(scope, [event.requested_by, *assignees])
    by = await name_of(scope, event.requested_by)
    messages = [_message_to_requester(requester, event)]
    messages += [_message_to_assignee(member, event.assigned[member.id], by) for member in others]
    await notify(scope, trigger, messages)


def _message_to_requester(member: Member, event: Imported) -> Message:
    created, failed = with_noun(event.created, "task"), with_noun(event.failed, "row")
    own = event.assigned.get(member.id, 0)
    in_app = InAppContent(
        kind=Kind.IMPORT_COMPLETED,
        subject_id=event.import_id,
        title="Your import is done",
        body=f"{created} created, {failed} failed.",
    )
    email = EmailContent(
        template="import_completed",
        subject=f"Your import is done: {created} created, {failed} failed",
        path=f"/imports/{event.import_id}",
        values={
            "name": display_name(member),
            "created": created,
            "failed": failed,
            "any_failed": event.failed > 0,
            "own": with_noun(own, "task"),
            "any_own": own > 0,
        },
    )
    return Message(member.id, member.email, in_app, email, has_left=not member.active)


def _message_to_assignee(member: Member, count: int, by: str) -> Message:
    tasks = with_noun(count, "new task")
    email = EmailContent(
        template="tasks_imported",
        subject=f"You have {tasks}",
        path="/tasks",
        values={"name": display_name(member), "tasks": tasks, "by": by},
    )
    return Message(member.id, member.email, email=email, has_left=not member.active)


def with_noun(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
