"""A comment mentions people."""

from chassis.work.scope import OrgScope
from services.notify.inbox.model import Kind
from services.notify.notifications.model import InAppContent, Message, TriggeringEvent
from services.notify.notifications.reads import Commented
from services.notify.notifications.usecases.notifying import display_name, find_members, name_of, notify
from services.notify.ports import EmailContent

LENGTH_IN_APP = 280
LENGTH_IN_EMAIL = 2000


async def notify_mentioned(scope: OrgScope, trigger: TriggeringEvent, event: Commented) -> None:
    """Notify each mentioned member but the author, in the app and by e-mail. Raises NotYet while one of them is not
    known here."""
    mentioned = await find_members(scope, (user_id for user_id in event.mentioned_ids if user_id != event.author_id))
    if not mentioned:
        return
    by = await name_of(scope, event.author_id)
    title = f"{by} mentioned you: {event.task_title}"
    in_app = InAppContent(Kind.MENTIONED, event.task_id, title, shorten(event.text, LENGTH_IN_APP))
    text = shorten(event.text, LENGTH_IN_EMAIL)
    messages = [
        Message(
            member.id,
            member.email,
            in_app,
            EmailContent(
                template="mentioned",
                subject=title,
                path=f"/tasks/{event.task_id}",
                values={"name": display_name(member), "title": event.task_title, "by": by, "text": text},
            ),
            has_left=not member.active,
        )
        for member in mentioned
    ]
    await notify(scope, trigger, messages)


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
