"""The attackers and their victims, and the valid and invalid tokens that they use."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from chassis.auth.development import LIFETIME, DevelopmentIssuer
from chassis.auth.tokens import Issuer, TokenClaims
from chassis.clock import Clock
from contracts.common import SUPERADMIN, Role

MARKER = "planted"
"""Part of every text of the victim, and of no other."""

_STRANGERS_KEY = generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Person:
    """A person, and their claims."""

    id: str
    email: str
    name: str

    def claims(self, org: str | None, role: Role | None = Role.OWNER, mv: int = 1) -> TokenClaims:
        return TokenClaims(
            user_id=self.id, email=self.email, name=self.name, org=org, role=role if org else None, mv=mv if org else 0
        )

    def staff_claims(self) -> TokenClaims:
        return TokenClaims(user_id=self.id, email=self.email, name=self.name, groups=(SUPERADMIN,))


def theirs(name: str) -> Person:
    """A person of the victim's organization."""
    return Person(f"user_{name}", f"{name}@{MARKER}.example", f"{MARKER.title()} {name.title()}")


VERA, REMOVED = theirs("vera"), theirs("rhea")
BY_ROLE: Mapping[Role, Person] = {role: theirs(f"the{role}") for role in Role}
MALLORY = Person("user_mallory", "mallory@wicked.example", "Mallory")
STAFF = Person("user_staff", "staff@tenfold.example", "Staff")
MARK = Person("user_mark", "mark@wicked.example", "Mark")

MakeToken = Callable[[DevelopmentIssuer, Clock, TokenClaims, TokenClaims], str]
"""Makes an invalid token from the valid claims of the victim's owner and of the attacker."""


def expired_token(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    past = int((clock.now() - LIFETIME * 2).timestamp())
    return issuer.token(victim, iat=past, exp=past + int(LIFETIME.total_seconds()))


def forged_token(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return DevelopmentIssuer(clock, _STRANGERS_KEY, issuer.issuer).token(victim)


def token_of_other_pool(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    other = Issuer("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other", "other:jwks", "other-client")
    return DevelopmentIssuer(clock, _STRANGERS_KEY, other).token(victim)


def token_of_other_client(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return issuer.token(victim, client_id="other-client")


def identity_token(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return issuer.token(victim, token_use="id")


def token_with_edited_claims(
    issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, attacker: TokenClaims
) -> str:
    """A valid token of the attacker whose claims were replaced by the victim's."""
    head, payload, signature = issuer.token(attacker).split(".")
    claims = jwt.decode(f"{head}.{payload}.{signature}", options={"verify_signature": False})
    claims |= victim.model_dump(mode="json", exclude_none=True, exclude={"email", "name"})
    return f"{head}.{_encode(claims)}.{signature}"


def unsigned_token(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    claims = jwt.decode(issuer.token(victim), options={"verify_signature": False})
    return f"{_encode({'alg': 'none', 'typ': 'JWT', 'kid': issuer.kid})}.{_encode(claims)}."


def token_signed_with_public_key(
    issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims
) -> str:
    """Algorithm confusion: a token signed with HS256, with the public key as the shared secret."""
    claims = jwt.decode(issuer.token(victim), options={"verify_signature": False})
    [key] = issuer.keys()["keys"]
    return jwt.encode(claims, key["n"], algorithm="HS256", headers={"kid": issuer.kid})


def _encode(part: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


BAD_TOKENS: Mapping[str, MakeToken] = {
    "expired token": expired_token,
    "forged token": forged_token,
    "other pool's token": token_of_other_pool,
    "other client's token": token_of_other_client,
    "identity token": identity_token,
    "edited claims": token_with_edited_claims,
    "unsigned token": unsigned_token,
    "confused algorithm": token_signed_with_public_key,
}
