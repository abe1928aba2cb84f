"""What tenancy needs from outside, other than its table and the bus."""

from typing import Protocol


class TokenSource(Protocol):
    """Makes the secrets that stand for invitations."""

    def new(self) -> str:
        """An unguessable text that may stand in an address: 256 bits, base64url without padding."""
