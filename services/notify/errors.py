"""Errors that only notify raises."""

from chassis.errors import Rejected


class AddressRefused(Rejected):
    """The mail service will never take this e-mail: its address or its content is refused."""

    kind = "address-refused"
