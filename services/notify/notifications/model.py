"""Messages to the people whom an event concerns. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from chassis.declare.subscription import EventFacts
from services.notify.inbox.model import Kind, Notification, notification_id
from services.notify.mail.model import EmailDelivery, delivery_id
from services.notify.ports import EmailContent


@dataclass(frozen=True)
class TriggeringEvent:
    """The event that people are notified of."""

    event_id: str
    event_type: str
    time: datetime

    @classmethod
    def of(cls, facts: EventFacts) -> Self:
        return cls(facts.event_id, facts.event_type, facts.time)


@dataclass(frozen=True)
class InAppContent:
    """The content of a notification in the app. `subject_id` is what a person opens from it."""

    kind: Kind
    subject_id: str
    title: str
    body: str | None = None


@dataclass(frozen=True)
class Message:
    """The message to one recipient: in the app, by e-mail, or both. Former members get nothing."""

    recipient_id: str
    address: str
    in_app: InAppContent | None = None
    email: EmailContent | None = None
    has_left: bool = False

    def notification(self, event: TriggeringEvent, now: datetime) -> Notification | None:
        if self.in_app is None:
            return None
        return Notification(
            id=notification_id(event.event_id, self.recipient_id),
            user_id=self.recipient_id,
            kind=self.in_app.kind,
            title=self.in_app.title,
            body=self.in_app.body,
            subject_id=self.in_app.subject_id,
            event_id=event.event_id,
            event_type=event.event_type,
            event_time=event.time,
            created_at=now,
        )

    def delivery(self, event: TriggeringEvent, now: datetime) -> EmailDelivery | None:
        if self.email is None:
            return None
        return EmailDelivery(
            id=delivery_id(event.event_id, self.recipient_id),
            event_id=event.event_id,
            event_type=event.event_type,
            recipient_id=self.recipient_id,
            recipient=self.address,
            created_at=now,
        )
