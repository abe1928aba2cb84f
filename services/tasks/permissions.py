"""The least role for each operation, and the guard that routes check it with."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "tasks.project.create": Role.MANAGER,
    "tasks.project.list": Role.VIEWER,
    "tasks.project.read": Role.VIEWER,
    "tasks.assignee.list": Role.VIEWER,
    "tasks.task.create": Role.MEMBER,
    "tasks.task.list": Role.VIEWER,
    "tasks.task.read": Role.VIEWER,
    "tasks.task.assign": Role.MEMBER,
    "tasks.task.unassign": Role.MEMBER,
    "tasks.task.move": Role.MEMBER,
    "tasks.comment.create": Role.MEMBER,
    "tasks.comment.list": Role.VIEWER,
    "tasks.import.create": Role.MANAGER,
    "tasks.import.read": Role.MEMBER,
}
guard = Guard(PERMISSIONS)
