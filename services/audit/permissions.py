"""The least role for each operation, and the guard that asks for it."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "audit.record.list": Role.ADMIN,
    "audit.chain.verify": Role.ADMIN,
}
guard = Guard(PERMISSIONS)
