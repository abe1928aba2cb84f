"""A person's own notifications."""

import asyncio
from collections.abc import Sequence

from chassis.errors import Stale
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.notify.model import Notification
from services.notify.repository import Notifications, UnreadCounter

READ_AT_ONCE = 90
READ_ALL = 450
"""At most so many notifications become read by one request."""
TRIES = 3


async def list_own(scope: OrgScope, request: PageRequest, *, unread: bool | None) -> Page[Notification]:
    return await Notifications(scope).of_user(scope.actor.person_id, request, unread=unread)


async def count_unread(scope: OrgScope) -> int:
    return await UnreadCounter(scope).of_user(scope.actor.person_id)


async def mark_read(scope: OrgScope, id: str) -> Notification:  # noqa: A002
    """Read from now on, or as it was if it is read already. Raises NotFound for what is not the caller's own."""
    await _read(scope, [id])
    return await Notifications(scope).get_own(scope.actor.person_id, id)


async def mark_all_read(scope: OrgScope) -> int:
    """The caller's unread notifications, at most READ_ALL of them, newest first. Returns how many became read."""
    count, request = 0, PageRequest(limit=READ_AT_ONCE)
    for _ in range(READ_ALL // READ_AT_ONCE):
        page = await Notifications(scope).of_user(scope.actor.person_id, request, unread=True)
        if page.items:
            count += await _read(scope, [notification.id for notification in page.items])
        if page.next is None:
            break
        request = PageRequest(limit=READ_AT_ONCE, cursor=page.next)
    return count


async def _read(scope: OrgScope, ids: Sequence[str]) -> int:
    """One transaction: the notifications and their counter. What was read meanwhile is read again and left out."""
    user_id, notifications = scope.actor.person_id, Notifications(scope)
    for attempt in range(TRIES):
        found = await asyncio.gather(*(notifications.get_own(user_id, each) for each in ids))
        for notification in found:
            scope.require_match(notification)
        unread = [notification for notification in found if notification.unread]
        if not unread:
            return 0
        unit = scope.unit_of_work(claimed=False)
        for notification in unread:
            notifications.save(unit, notification.read(scope.now()))
        UnreadCounter(scope).add(unit, user_id, -len(unread))
        try:
            await unit.commit()
        except Stale:
            if attempt == TRIES - 1:
                raise
        else:
            return len(unread)
    return 0
