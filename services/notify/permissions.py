"""Operation -> the least role that may do it. Everybody reads and marks their own notifications, and nobody else's."""

from contracts.common import Role

PERMISSIONS = {
    "notify.notification.list": Role.VIEWER,
    "notify.notification.read": Role.VIEWER,
}
