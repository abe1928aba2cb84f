"""A person's own notifications."""

from collections.abc import Sequence
from functools import partial

from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.notify.inbox.model import Notification
from services.notify.inbox.repository import NotificationRepository, UnreadCounter

MARKED_AT_ONCE = 90
"""Notifications per transaction: with their counter, of the hundred operations that one may hold."""
MARKED_PER_REQUEST = 450
READS_AT_ONCE = 30


async def list_own(scope: OrgScope, request: PageRequest, *, unread: bool | None) -> Page[Notification]:
    return await NotificationRepository(scope).of_user(scope.actor.person_id, request, unread=unread)


async def count_unread(scope: OrgScope) -> int:
    return await UnreadCounter(scope).of_user(scope.actor.person_id)


async def mark_read(scope: OrgScope, id: str) -> Notification:  # noqa: A002
    """Read from now on, or as it was if it is read already. Raises NotFound for one that is not the caller's own."""
    await retry_on_stale(partial(_mark_read, scope, [id]))
    return await NotificationRepository(scope).get_own(scope.actor.person_id, id)


async def mark_all_read(scope: OrgScope) -> int:
    """Mark the caller's unread notifications as read, newest first, at most MARKED_PER_REQUEST. Returns how many became
    read."""
    count, request = 0, PageRequest(limit=MARKED_AT_ONCE)
    for _ in range(MARKED_PER_REQUEST // MARKED_AT_ONCE):
        page = await list_own(scope, request, unread=True)
        ids = [notification.id for notification in page.items]
        count += await retry_on_stale(partial(_mark_read, scope, ids))
        if page.next is None:
            break
        request = PageRequest(limit=MARKED_AT_ONCE, cursor=page.next)
    return count


async def _mark_read(scope: OrgScope, ids: Sequence[str]) -> int:
    """Change the notifications and their counter in one transaction; those that are read already are left out. Raises
    Stale if one of them was read in the meantime."""
    user_id, repository = scope.actor.person_id, NotificationRepository(scope)
    notifications = await gather_bounded(ids, partial(repository.get_own, user_id), at_once=READS_AT_ONCE)
    for notification in notifications:
        scope.require_match(notification)
    unread = [notification for notification in notifications if notification.is_unread]
    if unread:
        unit = scope.unit_of_work(claimed=False)
        for notification in unread:
            repository.save(unit, notification.mark_read(scope.now()))
        UnreadCounter(scope).add(unit, user_id, -len(unread))
        await unit.commit()
    return len(unread)
