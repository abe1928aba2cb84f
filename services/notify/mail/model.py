"""The delivery of one e-mail. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from chassis.work.repository import Aggregate


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


REPLAYED = "replay"


class EmailDelivery(Aggregate):
    """One e-mail that an event causes. It holds the event and the recipient, not the content: an invitation's token is
    stored nowhere, so the content is made from the event each time the e-mail is sent.

    `recipient_id` is the user's id, or the invitation's if the recipient is not a user yet.
    """

    event_id: str
    event_type: str
    recipient_id: str
    recipient: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    reason: str | None = None
    created_at: datetime
    sent_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        return self.status is DeliveryStatus.PENDING

    def suppress(self, reason: str) -> Self:
        return self.model_copy(update={"status": DeliveryStatus.SUPPRESSED, "reason": reason})

    def mark_sent(self, now: datetime) -> Self:
        return self.model_copy(update={"status": DeliveryStatus.SENT, "sent_at": now})

    def mark_failed(self, reason: str) -> Self:
        return self.model_copy(update={"status": DeliveryStatus.FAILED, "reason": reason})


def delivery_id(event_id: str, recipient_id: str) -> str:
    """The same for every delivery of the event; it goes out with the e-mail."""
    return f"{event_id}.{recipient_id}"
