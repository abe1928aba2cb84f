"""Views of notifications."""

from datetime import datetime
from typing import Self

from chassis.http.schemas import View
from services.notify.inbox.model import Kind, Notification


class NotificationView(View):
    """`subject_id` is what the notification is about; `event_id` is what caused it."""

    id: str
    kind: Kind
    title: str
    body: str | None = None
    subject_id: str
    event_id: str
    created_at: datetime
    read_at: datetime | None = None

    @classmethod
    def of(cls, notification: Notification) -> Self:
        return cls.model_validate(notification, from_attributes=True)


class UnreadCount(View):
    unread: int

    @classmethod
    def of(cls, unread: int) -> Self:
        return cls(unread=unread)


class ReadCount(View):
    read: int

    @classmethod
    def of(cls, read: int) -> Self:
        return cls(read=read)
