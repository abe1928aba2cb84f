"""Operation -> the least role that may do it."""

from contracts.common import Role

PERMISSIONS = {
    "audit.record.list": Role.ADMIN,
    "audit.chain.verify": Role.ADMIN,
}
