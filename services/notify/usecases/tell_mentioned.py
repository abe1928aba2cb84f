"""A comment mentions people."""

from chassis.work.scope import OrgScope
from services.notify.model import Kind
from services.notify.ports import Letter
from services.notify.reads import Commented
from services.notify.usecases.telling import Message, Note, Occasion, called, name_of, people, tell

IN_PRODUCT = 280
IN_MAIL = 2000


async def tell_mentioned(scope: OrgScope, occasion: Occasion, event: Commented) -> None:
    """Each but the author, in the product and by e-mail. Raises NotYet while one of them is not known here."""
    mentioned = await people(scope, (user_id for user_id in event.mentioned_ids if user_id != event.author_id))
    if not mentioned:
        return
    by = await name_of(scope, event.author_id)
    title = f"{by} mentioned you: {event.task_title}"
    note = Note(Kind.MENTIONED, event.task_id, title, shortened(event.text, IN_PRODUCT))
    messages = [
        Message(
            member.id,
            member.email,
            note,
            Letter(
                template="mentioned",
                subject=title,
                path=f"/tasks/{event.task_id}",
                values={
                    "name": called(member),
                    "title": event.task_title,
                    "by": by,
                    "text": shortened(event.text, IN_MAIL),
                },
            ),
            left=not member.active,
        )
        for member in mentioned
    ]
    await tell(scope, occasion, messages)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
