"""Ports: the needs of tenancy beside its table and the bus."""

from typing import Protocol


class TokenSource(Protocol):
    """Makes the secret tokens of invitations."""

    def new(self) -> str:
        """An unguessable text that can be part of a URL: 256 bits, base64url without padding."""
