"""Errors that only tenancy raises."""

from chassis.errors import AlreadyExists, Conflict, Forbidden


class RoleTooHigh(Forbidden):
    """The operation is allowed, but not for this role or on this member."""

    reason = "role-too-high"


class SlugTaken(AlreadyExists):
    """Another organization has this slug."""


class InvitationPending(AlreadyExists):
    """The address has an invitation that is not answered yet."""


class LastOwner(Conflict):
    """An organization would be left without an owner."""


class TooManyOwners(Conflict):
    """An organization would have more owners than it may."""


class InvitationClosed(Conflict):
    """The invitation was answered or taken back already."""


class InvitationExpired(Conflict):
    """The invitation was not answered in time."""
