"""Operation -> the least role that may do it.

None: every route here is public, or concerns the signed-in person alone, whatever their role.
"""

from contracts.common import Role

PERMISSIONS: dict[str, Role] = {}
