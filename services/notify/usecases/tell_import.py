"""An import is done."""

from chassis.tenants.members import Member
from chassis.work.scope import OrgScope
from services.notify.model import Kind
from services.notify.ports import Letter
from services.notify.reads import Imported
from services.notify.usecases.telling import Message, Note, Occasion, called, name_of, people, tell


async def tell_import(scope: OrgScope, occasion: Occasion, event: Imported) -> None:
    """Who asked for it gets the counts, in the product and by e-mail. Each other assignee gets one e-mail; in the
    product they have been told of each task. Raises NotYet while one of them is not known here."""
    assignees = sorted(user_id for user_id, count in event.assigned.items() if count > 0)
    requester, *others = await people(scope, [event.requested_by, *assignees])
    by = await name_of(scope, event.requested_by)
    messages = [_to_requester(requester, event)]
    messages += [_to_assignee(member, event.assigned[member.id], by) for member in others]
    await tell(scope, occasion, messages)


def _to_requester(member: Member, event: Imported) -> Message:
    created, failed = _counted(event.created, "task"), _counted(event.failed, "row")
    note = Note(
        kind=Kind.IMPORT_COMPLETED,
        subject_id=event.import_id,
        title="Your import is done",
        body=f"{created} created, {failed} failed.",
    )
    letter = Letter(
        template="import_completed",
        subject=f"Your import is done: {created} created, {failed} failed",
        path=f"/imports/{event.import_id}",
        values={
            "name": called(member),
            "created": created,
            "failed": failed,
            "any_failed": event.failed > 0,
            "own": _counted(event.assigned.get(member.id, 0), "task"),
            "any_own": event.assigned.get(member.id, 0) > 0,
        },
    )
    return Message(member.id, member.email, note, letter, left=not member.active)


def _to_assignee(member: Member, count: int, by: str) -> Message:
    tasks = _counted(count, "new task")
    letter = Letter(
        template="tasks_imported",
        subject=f"You have {tasks}",
        path="/tasks",
        values={"name": called(member), "tasks": tasks, "by": by},
    )
    return Message(member.id, member.email, letter=letter, left=not member.active)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
