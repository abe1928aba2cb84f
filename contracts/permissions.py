"""Every operation of every service, with the lowest role that has it.

Made by `make generate` from each service's `permissions.py`; do not edit it. Tenancy and identity read it, to know what
can be granted and denied. It may be older than another service: what it does not name yet cannot be granted yet.
"""

from collections.abc import Mapping

from contracts.common import Role

OPERATIONS: Mapping[str, Role] = {
    "analytics.person.list": Role.MANAGER,
    "analytics.project.list": Role.VIEWER,
    "audit.chain.verify": Role.ADMIN,
    "audit.record.list": Role.ADMIN,
    "files.file.create": Role.MEMBER,
    "files.file.read": Role.VIEWER,
    "identity.api_key.create": Role.ADMIN,
    "identity.api_key.list": Role.ADMIN,
    "identity.api_key.read": Role.ADMIN,
    "identity.api_key.revoke": Role.ADMIN,
    "identity.api_key.rotate": Role.ADMIN,
    "notify.notification.list": Role.VIEWER,
    "notify.notification.read": Role.VIEWER,
    "tasks.assignee.list": Role.VIEWER,
    "tasks.comment.create": Role.MEMBER,
    "tasks.comment.list": Role.VIEWER,
    "tasks.import.create": Role.MANAGER,
    "tasks.import.read": Role.MEMBER,
    "tasks.project.create": Role.MANAGER,
    "tasks.project.list": Role.VIEWER,
    "tasks.project.read": Role.VIEWER,
    "tasks.task.assign": Role.MEMBER,
    "tasks.task.create": Role.MEMBER,
    "tasks.task.list": Role.VIEWER,
    "tasks.task.move": Role.MEMBER,
    "tasks.task.read": Role.VIEWER,
    "tasks.task.unassign": Role.MEMBER,
    "tenancy.credential.list": Role.ADMIN,
    "tenancy.credential.remove": Role.ADMIN,
    "tenancy.credential.rotate": Role.OWNER,
    "tenancy.credential.store": Role.ADMIN,
    "tenancy.invitation.create": Role.ADMIN,
    "tenancy.invitation.list": Role.ADMIN,
    "tenancy.invitation.revoke": Role.ADMIN,
    "tenancy.member.change_permissions": Role.ADMIN,
    "tenancy.member.change_role": Role.ADMIN,
    "tenancy.member.leave": Role.VIEWER,
    "tenancy.member.list": Role.VIEWER,
    "tenancy.member.remove": Role.ADMIN,
    "tenancy.organization.change": Role.ADMIN,
    "tenancy.organization.change_plan": Role.OWNER,
    "tenancy.organization.read": Role.VIEWER,
}
