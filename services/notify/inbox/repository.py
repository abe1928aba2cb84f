"""Storage of notifications, by person, and of the number of unread ones."""

from datetime import UTC

from chassis.errors import NotFound
from chassis.storage.keys import Key, ListEntry
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.notify.inbox.model import Notification

ALL = Listing(index=1, name="NOTIFICATIONS")
UNREAD = Listing(index=2, name="UNREAD")
READ = Listing(index=2, name="READ")


class NotificationRepository(Repository[Notification]):
    """Each notification is in two lists of its person: that of all, and that of the unread or of the read ones."""

    kind = "NOTIFICATION"
    model = Notification

    def lists(self, aggregate: Notification) -> list[ListEntry]:
        sort = aggregate.created_at.astimezone(UTC).isoformat(timespec="microseconds")
        by_state = UNREAD if aggregate.is_unread else READ
        return [listing.entry(self.scope, aggregate.id, sort, of=aggregate.user_id) for listing in (ALL, by_state)]

    async def of_user(self, user_id: str, request: PageRequest, *, unread: bool | None) -> Page[Notification]:
        """Newest first; all of them, or only the unread or the read ones."""
        listing = ALL if unread is None else UNREAD if unread else READ
        return await self.page(listing, request, of=user_id, descending=True)

    async def get_own(self, user_id: str, id: str) -> Notification:  # noqa: A002
        """Raises NotFound, also for a notification that is somebody else's."""
        notification = await self.find(id)
        if notification is None or notification.user_id != user_id:
            raise NotFound("notification")
        return notification


class UnreadCounter:
    """The number of unread notifications per person; it changes in the transactions that change them."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope

    def add(self, unit: UnitOfWork, user_id: str, amount: int) -> None:
        unit.add(self._key(user_id), {"unread": amount}, set_attributes={"user_id": user_id})

    async def of_user(self, user_id: str) -> int:
        item = await self._scope.table.get(self._key(user_id))
        return int(item["unread"]) if item else 0

    def _key(self, user_id: str) -> Key:
        return self._scope.key("UNREAD", user_id)
