"""Somebody was invited."""

from datetime import UTC
from urllib.parse import quote

from chassis.work.scope import OrgScope
from services.notify.ports import Letter
from services.notify.reads import Invited
from services.notify.usecases.telling import Message, Occasion, tell


async def tell_invitee(scope: OrgScope, occasion: Occasion, event: Invited) -> None:
    """By e-mail only: they are nobody here yet."""
    expires = event.expires_at.astimezone(UTC)
    letter = Letter(
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
    await tell(scope, occasion, [Message(event.invitation_id, event.email, letter=letter)])
