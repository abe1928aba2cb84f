"""Operations of identity with the lowest role that has each. Its other routes are public, or serve the signed-in person
alone."""

from chassis.http.guard import Guard
from contracts.common import Role

PERMISSIONS = {
    "identity.api_key.create": Role.ADMIN,
    "identity.api_key.list": Role.ADMIN,
    "identity.api_key.read": Role.ADMIN,
    "identity.api_key.rotate": Role.ADMIN,
    "identity.api_key.revoke": Role.ADMIN,
}
guard = Guard(PERMISSIONS)
