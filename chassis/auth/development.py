"""The development issuer of tokens, for tests and for targets without Cognito. Never deployed to a stage on AWS."""

import json
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from chassis.auth.tokens import ALGORITHM, Issuer, TokenClaims
from chassis.clock import Clock

LIFETIME = timedelta(hours=8)
ISSUER = Issuer("https://development.tenfold.invalid", "development:jwks", "development-client")


class DevelopmentIssuer:
    """Signs the same claims that Cognito's PreTokenGeneration adds to tokens, with `key` or one of its own."""

    def __init__(self, clock: Clock, key: RSAPrivateKey | None = None, issuer: Issuer = ISSUER) -> None:
        self._clock, self.issuer = clock, issuer
        self._key = key or generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "development"

    def token(self, claims: TokenClaims, **overrides: Any) -> str:
        """An access token. `overrides` replace members of the payload, to make bad tokens."""
        now = self._clock.now()
        values = claims.model_dump(mode="json", exclude_none=True, by_alias=True)
        payload = {
            "iss": self.issuer.issuer,
            "client_id": self.issuer.client_id,
            "token_use": "access",
            "sub": claims.user_id,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            **{name: value for name, value in values.items() if value != []},
            **overrides,
        }
        return jwt.encode(payload, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})

    def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set of its public key."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}

    async def find(self) -> Issuer:
        return self.issuer

    async def fetch(self, _url: str) -> dict[str, Any]:
        return self.keys()
