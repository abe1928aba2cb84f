"""Routes of the inbox."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.notify.inbox import usecases
from services.notify.inbox.schemas import NotificationView, ReadCount, UnreadCount
from services.notify.permissions import guard

router = APIRouter(prefix="/v1/notifications", tags=["notifications"], route_class=Route)
Reader = Annotated[OrgScope, Depends(guard("notify.notification.list"))]
Marker = Annotated[OrgScope, Depends(guard("notify.notification.read"))]


@router.get("", response_model_exclude_none=True)
async def list_notifications(
    scope: Reader,
    page: Paged,
    unread: Annotated[bool | None, Query(description="Only the unread, or only the read ones")] = None,
) -> Page[NotificationView]:
    """The caller's own notifications in the organization of their token, newest first."""
    notifications = await usecases.list_own(scope, page, unread=unread)
    return notifications.map(NotificationView.of)


@router.get("/unread-count")
async def count_unread_notifications(scope: Reader) -> UnreadCount:
    """The number of the caller's unread notifications."""
    return UnreadCount.of(await usecases.count_unread(scope))


@router.put("/{notification_id}/read", response_model_exclude_none=True)
async def mark_notification_read(
    scope: Marker, notification_id: Annotated[str, Path(max_length=64)]
) -> NotificationView:
    """The notification, marked as read. Repeating it changes nothing."""
    return NotificationView.of(await usecases.mark_read(scope, notification_id))


@router.post("/read-all")
async def mark_all_notifications_read(scope: Marker) -> ReadCount:
    """The number of notifications that became read. Marks at most 450 per request; repeat until the count is 0."""
    return ReadCount.of(await usecases.mark_all_read(scope))
