"""The least role for each operation, and the guard that routes check it with."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "analytics.project.list": Role.VIEWER,
    "analytics.person.list": Role.MANAGER,
}
guard = Guard(PERMISSIONS)
