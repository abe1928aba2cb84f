"""Who attacks, who is attacked, and the tokens that they hold or make up."""

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
"""Stands in every text of the victim, and nowhere else."""

_STRANGERS_KEY = generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Person:
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
    """One of the victim's people."""
    return Person(f"user_{name}", f"{name}@{MARKER}.example", f"{MARKER.title()} {name.title()}")


VERA, REMOVED = theirs("vera"), theirs("rhea")
BY_ROLE: Mapping[Role, Person] = {role: theirs(f"the{role}") for role in Role}
MALLORY = Person("user_mallory", "mallory@wicked.example", "Mallory")
STAFF = Person("user_staff", "staff@tenfold.example", "Staff")
MARK = Person("user_mark", "mark@wicked.example", "Mark")

Make = Callable[[DevelopmentIssuer, Clock, TokenClaims, TokenClaims], str]
"""A bad token, from what the victim's owner and what the attacker would have in a good one."""


def _expired(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    past = int((clock.now() - LIFETIME * 2).timestamp())
    return issuer.token(victim, iat=past, exp=past + int(LIFETIME.total_seconds()))


def _forged(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return DevelopmentIssuer(clock, _STRANGERS_KEY, issuer.issuer).token(victim)


def _other_pool(issuer: DevelopmentIssuer, clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    other = Issuer("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other", "other:jwks", "other-client")
    return DevelopmentIssuer(clock, _STRANGERS_KEY, other).token(victim)


def _other_client(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return issuer.token(victim, client_id="other-client")


def _identity_token(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    return issuer.token(victim, token_use="id")


def _edited(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, attacker: TokenClaims) -> str:
    """A good token of the attacker in which they wrote the victim's organization."""
    head, payload, signature = issuer.token(attacker).split(".")
    claims = jwt.decode(f"{head}.{payload}.{signature}", options={"verify_signature": False})
    claims |= victim.model_dump(mode="json", exclude_none=True, exclude={"email", "name"})
    return f"{head}.{_encoded(claims)}.{signature}"


def _unsigned(issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims) -> str:
    claims = jwt.decode(issuer.token(victim), options={"verify_signature": False})
    return f"{_encoded({'alg': 'none', 'typ': 'JWT', 'kid': issuer.kid})}.{_encoded(claims)}."


def _signed_with_public_key(
    issuer: DevelopmentIssuer, _clock: Clock, victim: TokenClaims, _attacker: TokenClaims
) -> str:
    """The confusion of algorithms: what everybody can read, taken for a shared secret."""
    claims = jwt.decode(issuer.token(victim), options={"verify_signature": False})
    [key] = issuer.keys()["keys"]
    return jwt.encode(claims, key["n"], algorithm="HS256", headers={"kid": issuer.kid})


def _encoded(part: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


BAD_TOKENS: Mapping[str, Make] = {
    "expired token": _expired,
    "forged token": _forged,
    "other pool's token": _other_pool,
    "other client's token": _other_client,
    "identity token": _identity_token,
    "edited claims": _edited,
    "unsigned token": _unsigned,
    "confused algorithm": _signed_with_public_key,
}
