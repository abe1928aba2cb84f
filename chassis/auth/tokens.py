"""Verification of access tokens by the issuer's published keys (RFC 7519, RFC 7517)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import jwt
import jwt.types
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from chassis.clock import Clock
from chassis.errors import Unauthenticated, Unavailable
from contracts.common import SUPERADMIN, OrgId, Role, UserId

log = structlog.get_logger(__name__)

ALGORITHM = "RS256"
LEEWAY = timedelta(seconds=10)
TIMES_UNCHECKED: jwt.types.Options = {
    "require": ["exp", "iat", "iss", "sub"],
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
KEYS_FRESH = timedelta(minutes=10)
REFETCH_PAUSE = timedelta(seconds=5)
"""An unknown key id makes us fetch the keys again, but a flood of forged key ids must not flood the issuer."""


Words = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value)
]
"""Words separated by spaces in a token, since every identity provider accepts such a text."""


class TokenClaims(BaseModel):
    """The claims of our access tokens. `mv` is the version of the membership that the role is from; a token without an
    organization is for routes that need none."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    user_id: UserId
    email: str
    name: str = ""
    org: OrgId | None = None
    role: Role | None = None
    mv: int = 0
    grants: Words = ()
    denies: Words = ()
    """Permissions that the membership grants or denies besides its role."""
    groups: tuple[str, ...] = Field(default=(), alias="cognito:groups")
    """Cognito's own claim, which neither users nor we write."""

    @property
    def is_staff(self) -> bool:
        return SUPERADMIN in self.groups


@dataclass(frozen=True)
class Issuer:
    """The issuer of tokens, the address of its public keys, and the client that the tokens are for."""

    issuer: str
    jwks_url: str
    client_id: str


FetchKeys = Callable[[str], Awaitable[dict[str, Any]]]
FindIssuer = Callable[[], Awaitable[Issuer]]


class TokenVerifier:
    """Verifies tokens of one issuer, which is looked up at first use, so that services start in any order."""

    def __init__(self, find_issuer: FindIssuer, fetch_keys: FetchKeys, clock: Clock) -> None:
        self._find_issuer, self._fetch_keys, self._clock = find_issuer, fetch_keys, clock
        self._issuer: Issuer | None = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = clock.now() - KEYS_FRESH
        self._lock = asyncio.Lock()

    async def verify(self, token: str) -> TokenClaims:
        """The claims of a token. Raises Unauthenticated for any token that is not good now, Unavailable if the issuer's
        keys can't be fetched."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The token is not a JWT.") from error
        if header.get("alg") != ALGORITHM:
            raise Unauthenticated("The token is signed by an algorithm that we do not accept.")
        key = await self._key(str(header.get("kid", "")))
        if self._issuer is None:
            raise Unavailable("The token issuer is not known yet; try again.")
        return self._claims(token, key, self._issuer)

    def _claims(self, token: str, key: jwt.PyJWK, issuer: Issuer) -> TokenClaims:
        try:
            payload = jwt.decode(
                token,
                key.key,
                algorithms=[ALGORITHM],
                issuer=issuer.issuer,
                # Times are checked below, by the injected clock.
                options=TIMES_UNCHECKED,
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The token is not valid.") from error
        now = self._clock.now().timestamp()
        if payload["exp"] <= now - LEEWAY.total_seconds():
            raise Unauthenticated("The token has expired; refresh it.")
        if max(payload["iat"], payload.get("nbf", 0)) > now + LEEWAY.total_seconds():
            raise Unauthenticated("The token is not valid yet.")
        # Cognito's access tokens carry no `aud`: they name the client and their use instead.
        if payload.get("client_id") != issuer.client_id or payload.get("token_use") != "access":
            raise Unauthenticated("The token is not an access token of this application.")
        try:
            return TokenClaims.model_validate(payload)
        except ValidationError as error:
            raise Unauthenticated("The token lacks the claims of this application.") from error

    async def _key(self, kid: str) -> jwt.PyJWK:
        fetched = self._fetched
        age = self._clock.now() - fetched
        was_set_back = age < timedelta()
        if was_set_back or age > KEYS_FRESH or (kid not in self._keys and age > REFETCH_PAUSE):
            async with self._lock:
                if self._fetched == fetched:
                    await self._refresh(kid)
        try:
            return self._keys[kid]
        except KeyError:
            raise Unauthenticated("The token is signed by a key that its issuer does not have.") from None

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys, but keep those we have while the issuer does not answer: its outage must not become ours."""
        try:
            self._issuer = self._issuer or await self._find_issuer()
            published = await self._fetch_keys(self._issuer.jwks_url)
        except Unavailable as error:
            if kid not in self._keys:
                raise
            log.warning("keys_not_refreshed", reason=error.detail)
            return
        self._keys = {key["kid"]: jwt.PyJWK(key, algorithm=ALGORITHM) for key in published["keys"]}
        self._fetched = self._clock.now()
