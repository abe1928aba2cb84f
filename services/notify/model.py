"""What people are told in the product, and the e-mails that we owe them."""

import hashlib
from datetime import datetime
from enum import StrEnum

from chassis.work.repository import Aggregate


class Kind(StrEnum):
    ASSIGNED = "assigned"
    MENTIONED = "mentioned"
    IMPORT_COMPLETED = "import_completed"


class Notification(Aggregate):
    """One thing that one person is told in the product. `subject_id` is what they open from it: a task, an import."""

    user_id: str
    kind: Kind
    title: str
    body: str | None = None
    subject_id: str
    event_id: str
    event_type: str
    event_time: datetime
    created_at: datetime
    read_at: datetime | None = None

    @property
    def unread(self) -> bool:
        return self.read_at is None

    def read(self, now: datetime) -> "Notification":
        return self.model_copy(update={"read_at": now})


def notification_id(event_id: str, user_id: str) -> str:
    """The same for every delivery of the event."""
    return f"ntf_{hashlib.sha256(f'{event_id} {user_id}'.encode()).hexdigest()[:32]}"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


REPLAYED = "replay"


class Delivery(Aggregate):
    """One e-mail that we owe. It says for what and to whom, not what stands in it: an invitation's token is kept
    nowhere, so the letter is written anew from the event whenever it is sent.

    `recipient_id` is the user's id, or the invitation's if the recipient is no user yet.
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
    def pending(self) -> bool:
        return self.status is DeliveryStatus.PENDING

    def suppressed(self, reason: str) -> "Delivery":
        return self.model_copy(update={"status": DeliveryStatus.SUPPRESSED, "reason": reason})

    def sent(self, now: datetime) -> "Delivery":
        return self.model_copy(update={"status": DeliveryStatus.SENT, "sent_at": now})

    def failed(self, reason: str) -> "Delivery":
        return self.model_copy(update={"status": DeliveryStatus.FAILED, "reason": reason})


def delivery_id(event_id: str, recipient_id: str) -> str:
    """The same for every delivery of the event; it goes out with the e-mail."""
    return f"{event_id}.{recipient_id}"
