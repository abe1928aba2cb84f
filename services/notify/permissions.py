"""The least role for each operation, and the guard that asks for it.

Everybody reads and marks their own notifications, and nobody else's.
"""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "notify.notification.list": Role.VIEWER,
    "notify.notification.read": Role.VIEWER,
}
guard = Guard(PERMISSIONS)
