"""Ports: the identity provider, which checks passwords and issues tokens, and the source of API keys' secrets."""

from dataclasses import dataclass
from typing import Any, Protocol

from chassis.auth.tokens import TokenClaims


@dataclass(frozen=True)
class Person:
    """A person who has proved that the address is theirs. `invited`: they signed up to accept an invitation."""

    user_id: str
    email: str
    name: str
    invited: bool


@dataclass(frozen=True, repr=False)
class Tokens:
    """Tokens of a session. `expires_in` is the access token's lifetime in seconds, `claims` are its claims; without a
    `refresh_token`, the one that was used stays valid."""

    access_token: str
    refresh_token: str | None
    expires_in: int
    claims: TokenClaims


class SecretSource(Protocol):
    """Generates the secrets of API keys."""

    def new(self) -> str:
        """An unguessable text: 256 bits, in hexadecimal."""


class IdentityProvider(Protocol):
    """Registers people, signs them in and issues their tokens. Addresses are given in lower case. Every method raises
    Unavailable when the provider does not answer."""

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        """Register an address, unconfirmed, and send a code to it. Returns the user's id, also when the same
        `attempt` registered the address before.

        Raises AddressTaken, WeakPassword, or Invalid for an address or a name that is not acceptable.
        """

    async def resend_code(self, email: str) -> None:
        """Send a new code. The outcome does not reveal whether the address is known or waiting for confirmation."""

    async def confirm(self, email: str, code: str) -> None:
        """Raises WrongCode (also for an unknown address), or AlreadyConfirmed."""

    async def person(self, email: str) -> Person:
        """The person who confirmed that address. Raises NotFound if nobody did."""

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Raises WrongCredentials, NotConfirmed or Locked."""

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens with the present claims. Raises SessionEnded."""

    async def sign_out(self, access_token: str) -> None:
        """End all sessions of the token's bearer: none can be refreshed. Access tokens stay valid until they expire."""

    async def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set of its tokens (RFC 7517). Raises NotFound if it is published elsewhere."""
