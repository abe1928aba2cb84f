"""HTTP: parse, authorize, call, render."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from chassis.http.guard import Guard
from chassis.http.route import Route
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.notify.model import Kind, Notification
from services.notify.permissions import PERMISSIONS
from services.notify.usecases import inbox

router = APIRouter(prefix="/v1/notifications", tags=["notifications"], route_class=Route)
guard = Guard(PERMISSIONS)
Reader = Annotated[OrgScope, Depends(guard("notify.notification.list"))]
Marker = Annotated[OrgScope, Depends(guard("notify.notification.read"))]


class NotificationView(BaseModel):
    """`subject_id` is what the notification is about; `event_id` is what caused it."""

    id: str
    kind: Kind
    title: str
    body: str | None = None
    subject_id: str
    event_id: str
    created_at: datetime
    read_at: datetime | None = None


class UnreadCount(BaseModel):
    unread: int


class ReadCount(BaseModel):
    read: int


@router.get("", response_model_exclude_none=True)
async def list_notifications(
    scope: Reader,
    page: Annotated[PageRequest, Depends()],
    unread: Annotated[bool | None, Query(description="Only the unread, or only the read ones")] = None,
) -> Page[NotificationView]:
    """The caller's own notifications in the organization of their token, newest first."""
    found = await inbox.list_own(scope, page, unread=unread)
    return Page(items=[_view(notification) for notification in found.items], next=found.next)


@router.get("/unread-count")
async def count_unread_notifications(scope: Reader) -> UnreadCount:
    """How many of the caller's notifications are unread."""
    return UnreadCount(unread=await inbox.count_unread(scope))


@router.put("/{notification_id}/read", response_model_exclude_none=True)
async def mark_notification_read(
    scope: Marker, notification_id: Annotated[str, Path(max_length=64)]
) -> NotificationView:
    """The notification, read. Repeating it changes nothing."""
    return _view(await inbox.mark_read(scope, notification_id))


@router.post("/read-all")
async def mark_all_notifications_read(scope: Marker) -> ReadCount:
    """How many became read. One request reads a few hundred at most: repeat it until it says 0."""
    return ReadCount(read=await inbox.mark_all_read(scope))


def _view(notification: Notification) -> NotificationView:
    return NotificationView.model_validate(notification, from_attributes=True)
