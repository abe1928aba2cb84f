"""Who knows passwords and issues tokens (where there is Cognito, this service keeps neither), and makes secrets."""

from dataclasses import dataclass
from typing import Any, Protocol

from chassis.auth.tokens import TokenClaims


@dataclass(frozen=True)
class Person:
    """Somebody who proved that the address is theirs. `invited`: they signed up to answer an invitation."""

    user_id: str
    email: str
    name: str
    invited: bool


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a sign-in gives. `expires_in` is the access token's life in seconds; `claims` are what it says."""

    access_token: str
    refresh_token: str | None
    expires_in: int
    claims: TokenClaims


class SecretSource(Protocol):
    """Makes the secrets of API keys."""

    def new(self) -> str:
        """An unguessable text: 256 bits, in hexadecimal."""


class IdentityProvider(Protocol):
    """Addresses are given in lower case. Every method raises Unavailable when the provider does not answer."""

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        """Register an address, unconfirmed, and send a code to it. Returns the user's id, also when it was this very
        `attempt` that registered the address before.

        Raises AddressTaken, WeakPassword, or Invalid for an address or a name that cannot be.
        """

    async def resend_code(self, email: str) -> None:
        """Send a fresh code. Says nothing of whether the address is known or waits for one."""

    async def confirm(self, email: str, code: str) -> None:
        """Raises WrongCode (also for an unknown address), or AlreadyConfirmed."""

    async def person(self, email: str) -> Person:
        """Who confirmed that address. Raises NotFound if nobody did."""

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Raises WrongCredentials, NotConfirmed or Locked."""

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens with the claims of now; `refresh_token` is None if the given one stays. Raises SessionEnded."""

    async def sign_out(self, access_token: str) -> None:
        """End all sessions of the token's bearer: none can be refreshed. Access tokens live out their time."""

    async def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set of its tokens (RFC 7517). Raises NotFound if it is published elsewhere."""
