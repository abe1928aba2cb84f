"""Operation -> the least role that may do it."""

from contracts.common import Role

PERMISSIONS = {
    "analytics.project.list": Role.VIEWER,
    "analytics.person.list": Role.MANAGER,
}
