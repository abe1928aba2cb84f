"""The least role for each operation, and the guard that routes check it with."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "files.file.create": Role.MEMBER,
    "files.file.read": Role.VIEWER,
}
guard = Guard(PERMISSIONS)
