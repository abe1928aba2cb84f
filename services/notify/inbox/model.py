"""The notification of one person. Pure."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Self

from chassis.work.repository import Aggregate


class Kind(StrEnum):
    ASSIGNED = "assigned"
    MENTIONED = "mentioned"
    IMPORT_COMPLETED = "import_completed"


class Notification(Aggregate):
    """One notification of one person in the app. `subject_id` is what they open from it: a task, an import."""

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
    def is_unread(self) -> bool:
        return self.read_at is None

    def mark_read(self, now: datetime) -> Self:
        return self.model_copy(update={"read_at": now})


def notification_id(event_id: str, user_id: str) -> str:
    """The same for every delivery of the event."""
    return f"ntf_{hashlib.sha256(f'{event_id} {user_id}'.encode()).hexdigest()[:32]}"
