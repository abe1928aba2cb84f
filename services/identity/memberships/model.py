"""A user's membership in an organization, as tenancy's events report it."""

from chassis.work.repository import Aggregate
from contracts.common import Role


class Membership(Aggregate):
    """A projection of tenancy's aggregate: `id` is the organization's, `version` the membership's. An ended one is
    kept, not active."""

    role: Role
    active: bool = True
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
