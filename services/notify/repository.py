"""Notifications by person, unread ones counted, and the e-mails of each event."""

from datetime import UTC

from chassis.errors import NotFound
from chassis.storage.keys import Key, ListEntry
from chassis.work.repository import Listing, Page, PageRequest, Repository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.notify.model import Delivery, Notification

ALL = Listing(index=1, name="NOTIFICATIONS")
UNREAD = Listing(index=2, name="UNREAD")
READ = Listing(index=2, name="READ")
QUERY = 100


class Notifications(Repository[Notification]):
    """A person's notifications are one list, and each stands in a second one: of the unread or of the read."""

    kind = "NOTIFICATION"
    model = Notification

    def lists(self, aggregate: Notification) -> list[ListEntry]:
        sort = aggregate.created_at.astimezone(UTC).isoformat(timespec="microseconds")
        by_state = UNREAD if aggregate.unread else READ
        return [listing.entry(self.scope, aggregate.id, sort, of=aggregate.user_id) for listing in (ALL, by_state)]

    async def of_user(self, user_id: str, request: PageRequest, *, unread: bool | None) -> Page[Notification]:
        """Newest first; all of them, or only the unread or the read ones."""
        listing = ALL if unread is None else UNREAD if unread else READ
        return await self.page(listing, request, of=user_id, descending=True)

    async def get_own(self, user_id: str, id: str) -> Notification:  # noqa: A002
        """Raises NotFound, the same for what is somebody else's."""
        found = await self.find(id)
        if found is None or found.user_id != user_id:
            raise NotFound("notification")
        return found


class UnreadCounter:
    """How many unread notifications a person has; it changes in the transactions that change them."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope

    def add(self, unit: UnitOfWork, user_id: str, amount: int) -> None:
        unit.add(self._key(user_id), {"unread": amount}, set_attributes={"user_id": user_id})

    async def of_user(self, user_id: str) -> int:
        item = await self._scope.table.get(self._key(user_id))
        return int(item["unread"]) if item else 0

    def _key(self, user_id: str) -> Key:
        return self._scope.key("UNREAD", user_id)


class Deliveries(Repository[Delivery]):
    """The e-mails of one event lie together, so that those still owed are found by a consistent read: an index may
    not show them yet when a redelivery looks for them."""

    kind = "DELIVERY"
    model = Delivery

    def key(self, id: str) -> Key:  # noqa: A002
        event_id, _, recipient_id = id.rpartition(".")
        return self.scope.key(self.kind, event_id, sk=recipient_id)

    async def of_event(self, event_id: str) -> list[Delivery]:
        found: list[Delivery] = []
        pk, after = self.scope.key(self.kind, event_id).pk, None
        while True:
            items = await self.scope.table.query(pk, after=after, limit=QUERY)
            found += map(self.model.model_validate, items)
            if len(items) < QUERY:
                return found
            after = items[-1]["SK"]
