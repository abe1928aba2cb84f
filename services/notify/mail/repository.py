"""Storage of e-mail deliveries, by event."""

from chassis.storage.keys import Key
from chassis.storage.table import Range
from chassis.work.repository import Repository
from services.notify.mail.model import EmailDelivery

ITEMS_PER_QUERY = 100


class EmailDeliveryRepository(Repository[EmailDelivery]):
    """The deliveries of one event share a partition, so that a consistent read finds those that are pending: a GSI may
    not show them yet when a redelivery looks for them."""

    kind = "DELIVERY"
    model = EmailDelivery

    def key(self, id: str) -> Key:  # noqa: A002
        event_id, _, recipient_id = id.rpartition(".")
        return self.scope.key(self.kind, event_id, sk=recipient_id)

    async def of_event(self, event_id: str) -> list[EmailDelivery]:
        deliveries: list[EmailDelivery] = []
        pk, after = self.scope.key(self.kind, event_id).pk, None
        while True:
            items = await self.scope.table.query(pk, Range(after=after, limit=ITEMS_PER_QUERY))
            deliveries += map(self.model.model_validate, items)
            if len(items) < ITEMS_PER_QUERY:
                return deliveries
            after = items[-1]["SK"]
