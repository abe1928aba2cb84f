"""Errors that only this service has."""

from chassis.errors import Retryable


class InspectionDied(Retryable):
    """The process that inspects a file died, or did not end in time. Whether the file or the machine is the cause is
    unknown."""

    kind = "inspection-died"
