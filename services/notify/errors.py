"""What only notify has to say no to."""

from chassis.errors import Rejected


class AddressRefused(Rejected):
    """The mail service will never take this e-mail: its address or its content is refused."""

    kind = "address-refused"
