"""Operation -> the least role that may do it."""

from contracts.common import Role

PERMISSIONS = {
    "files.file.create": Role.MEMBER,
    "files.file.read": Role.VIEWER,
}
