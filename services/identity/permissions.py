"""Operation -> the least role that may do it. The other routes are public, or concern the signed-in person alone."""

from contracts.common import Role

PERMISSIONS = {
    "identity.api_key.create": Role.ADMIN,
    "identity.api_key.list": Role.ADMIN,
    "identity.api_key.read": Role.ADMIN,
    "identity.api_key.rotate": Role.ADMIN,
    "identity.api_key.revoke": Role.ADMIN,
}
