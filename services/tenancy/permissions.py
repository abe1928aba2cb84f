"""The least role for each operation, and the guard that routes check it with. Rules that also depend on the other
person's role are in members/model.py."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "tenancy.organization.read": Role.VIEWER,
    "tenancy.organization.change": Role.ADMIN,
    "tenancy.organization.change_plan": Role.OWNER,
    "tenancy.member.list": Role.VIEWER,
    "tenancy.member.change_role": Role.ADMIN,
    "tenancy.member.change_permissions": Role.ADMIN,
    "tenancy.member.leave": Role.VIEWER,
    "tenancy.member.remove": Role.ADMIN,
    "tenancy.invitation.create": Role.ADMIN,
    "tenancy.invitation.list": Role.ADMIN,
    "tenancy.invitation.revoke": Role.ADMIN,
    "tenancy.credential.list": Role.ADMIN,
    "tenancy.credential.store": Role.ADMIN,
    "tenancy.credential.remove": Role.ADMIN,
    "tenancy.credential.rotate": Role.OWNER,
}
guard = Guard(PERMISSIONS)
