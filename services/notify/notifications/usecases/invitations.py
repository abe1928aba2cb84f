"""An invitation was created."""

from datetime import UTC
from urllib.parse import quote

from chassis.work.scope import OrgScope
from services.notify.notifications.model import Message, TriggeringEvent
from services.notify.notifications.reads import Invited
from services.notify.notifications.usecases.notifying import notify
from services.notify.ports import EmailContent


async def notify_invitee(scope: OrgScope, trigger: TriggeringEvent, event: Invited) -> None:
    """By e-mail only: the invitee is not a user yet."""
    expires = event.expires_at.astimezone(UTC)
    email = EmailContent(
        template="invited",
        subject=f"{event.inviter_name} invites you to {event.org_name}",
        path=f"/invitations/accept?token={quote(event.token, safe='')}",
        values={
            "by": event.inviter_name,
            "org": event.org_name,
            "role": event.role.value,
            "token": event.token,
            "expires": f"{expires:%d %B %Y, %H:%M} UTC".lstrip("0"),
        },
    )
    await notify(scope, trigger, [Message(event.invitation_id, event.email, email=email)])
