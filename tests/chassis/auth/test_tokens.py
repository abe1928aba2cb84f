"""Verification of tokens: every invalid token is refused, and none causes a crash."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.auth.development import LIFETIME, DevelopmentIssuer
from chassis.auth.tokens import KEYS_FRESH, LEEWAY, REFETCH_PAUSE, TokenClaims, TokenVerifier
from chassis.errors import Unauthenticated, Unavailable
from chassis.testing.service import FakeClock
from contracts.common import Role

ADA = TokenClaims(user_id="user_ada", email="ada@acme.example", name="Ada", org="org_acme", role=Role.ADMIN, mv=3)
ONE_KEY = generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = generate_private_key(public_exponent=65537, key_size=2048)


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.issuer = DevelopmentIssuer(self.clock, ONE_KEY)
        self.fetches = 0
        self.down = False
        self.others: list[DevelopmentIssuer] = []
        self.verifier = TokenVerifier(self.issuer.find, self._fetch, self.clock)

    async def _fetch(self, url: str) -> dict[str, Any]:
        self.fetches += 1
        if self.down:
            raise Unavailable("no issuer")
        return {"keys": [key for each in (self.issuer, *self.others) for key in each.keys()["keys"]]}

    async def refused(self, token: str) -> str:
        with pytest.raises(Unauthenticated) as refused:
            await self.verifier.verify(token)
        return refused.value.detail


@pytest.fixture
def world() -> World:
    return World()


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def sign_again(world: World, key: RSAPrivateKey, algorithm: str = "RS256", **headers: Any) -> str:
    """A token with valid claims, signed by that key."""
    payload = jwt.decode(world.issuer.token(ADA), options={"verify_signature": False})
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)


async def test_a_valid_token_gives_its_claims(world: World) -> None:
    assert await world.verifier.verify(world.issuer.token(ADA)) == ADA


async def test_a_token_without_an_organization_is_valid(world: World) -> None:
    alone = TokenClaims(user_id="user_bo", email="bo@acme.example")
    assert await world.verifier.verify(world.issuer.token(alone)) == alone


async def test_a_token_is_valid_until_it_expires(world: World) -> None:
    token = world.issuer.token(ADA)
    almost = LIFETIME + LEEWAY - timedelta(seconds=1)
    world.clock.advance(seconds=almost.total_seconds())
    await world.verifier.verify(token)
    world.clock.advance(seconds=1)
    assert "expired" in await world.refused(token)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_a_token_from_the_future_is_not_valid_yet(world: World, claim: str) -> None:
    now = int(world.clock.now().timestamp())
    assert "not valid yet" in await world.refused(world.issuer.token(ADA, **{claim: now + 60}))
    await world.verifier.verify(world.issuer.token(ADA, **{claim: now + 5}))


@pytest.mark.parametrize(
    "overrides",
    [
        {"iss": "https://evil.example"},
        {"client_id": "another-application"},
        {"client_id": None},
        {"token_use": "id"},
        {"token_use": None},
        {"user_id": "../../etc"},
        {"user_id": None},
        {"org": "org_acme#TASK"},
        {"org": "acme"},
        {"role": "emperor"},
        {"mv": "many"},
    ],
    ids=str,
)
async def test_a_token_for_something_else_is_refused(world: World, overrides: dict[str, Any]) -> None:
    await world.refused(world.issuer.token(ADA, **overrides))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "\u00fc", "e30.e30.e30", "null.null.null", "x" * 10_000])
async def test_a_text_that_is_not_a_token_is_refused(world: World, token: str) -> None:
    await world.refused(token)


async def test_an_unsigned_token_is_refused(world: World) -> None:
    payload = world.issuer.token(ADA).split(".")[1]
    for name in ("none", "None", "NONE", ""):
        assert "algorithm" in await world.refused(f"{part({'alg': name, 'kid': 'development'})}.{payload}.")


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(world: World) -> None:
    """Algorithm confusion of HS256 with RS256: everybody knows the public key."""
    public = ONE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    payload = world.issuer.token(ADA).split(".")[1]
    for algorithm in ("HS256", "RS256"):
        signed = f"{part({'alg': algorithm, 'kid': 'development', 'typ': 'JWT'})}.{payload}"
        mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
        await world.refused(f"{signed}.{mac}")


async def test_a_token_that_was_changed_is_refused(world: World) -> None:
    header, payload, signature = world.issuer.token(ADA).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert "not valid" in await world.refused(f"{header}.{part({**claims, 'role': 'owner'})}.{signature}")


async def test_a_token_signed_by_somebody_else_is_refused(world: World) -> None:
    assert "not valid" in await world.refused(sign_again(world, OTHER_KEY, kid="development"))
    assert "does not have" in await world.refused(sign_again(world, OTHER_KEY, kid="unknown"))
    assert "does not have" in await world.refused(sign_again(world, ONE_KEY))
    assert await world.verifier.verify(sign_again(world, ONE_KEY, kid="development")) == ADA


async def test_each_key_is_valid_under_its_own_id_only(world: World) -> None:
    second = DevelopmentIssuer(world.clock, OTHER_KEY)
    second.kid, world.others = "second", [second]
    for key, kid, good in ((ONE_KEY, "second", False), (OTHER_KEY, "development", False), (OTHER_KEY, "second", True)):
        token = sign_again(world, key, kid=kid)
        if good:
            assert await world.verifier.verify(token) == ADA
        else:
            assert "not valid" in await world.refused(token)


@pytest.mark.parametrize("kid", ["../../../dev/null", "' OR 1=1", "", None, 7, ["development"], {"a": 1}, "k" * 2000])
async def test_an_odd_key_id_matches_no_key(world: World, kid: Any) -> None:
    _, payload, signature = world.issuer.token(ADA).split(".")
    await world.refused(f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': kid})}.{payload}.{signature}")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
async def test_a_key_inside_the_token_is_not_used(world: World, name: str) -> None:
    brought = DevelopmentIssuer(world.clock, OTHER_KEY).keys()["keys"][0]
    value = {"jwk": brought, "x5c": [brought["n"]]}.get(name, "https://evil.example/keys")
    assert "not valid" in await world.refused(sign_again(world, OTHER_KEY, kid="development", **{name: value}))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
async def test_the_right_key_by_another_algorithm_is_refused(world: World, algorithm: str) -> None:
    assert "algorithm" in await world.refused(sign_again(world, ONE_KEY, algorithm, kid="development"))


@pytest.mark.parametrize("claims", [{"token_use": "id"}, {"client_id": None}, {"client_id": "another"}])
async def test_an_audience_is_not_enough(world: World, claims: dict[str, Any]) -> None:
    """An identity token has our client as its audience, but is not an access token."""
    await world.refused(world.issuer.token(ADA, aud=world.issuer.issuer.client_id, **claims))


async def test_a_revoked_signing_key_is_valid_no_longer_than_the_cache(world: World) -> None:
    token = world.issuer.token(ADA)
    await world.verifier.verify(token)
    world.issuer.kid = "rotated"
    await world.verifier.verify(token)
    world.clock.advance(seconds=KEYS_FRESH.total_seconds() + 1)
    assert "does not have" in await world.refused(token)


async def test_keys_are_fetched_once_for_many_tokens(world: World) -> None:
    for _ in range(5):
        await world.verifier.verify(world.issuer.token(ADA))
    assert world.fetches == 1
    world.clock.advance(seconds=KEYS_FRESH.total_seconds() + 1)
    await world.verifier.verify(world.issuer.token(ADA))
    assert world.fetches == 2


async def test_a_clock_that_is_set_back_refuses_nobody(world: World) -> None:
    world.clock.advance(seconds=-3600)
    assert await world.verifier.verify(world.issuer.token(ADA)) == ADA
    world.clock.advance(seconds=-3600)
    assert await world.verifier.verify(world.issuer.token(ADA)) == ADA
    assert world.fetches == 2


async def test_known_keys_outlive_an_issuer_that_does_not_answer(world: World) -> None:
    token = world.issuer.token(ADA)
    await world.verifier.verify(token)
    world.down = True
    world.clock.advance(seconds=KEYS_FRESH.total_seconds() + 1)
    token = world.issuer.token(ADA)
    assert await world.verifier.verify(token) == ADA
    with pytest.raises(Unavailable):
        await world.verifier.verify(jwt.encode({}, OTHER_KEY, "RS256", headers={"kid": "unknown"}))


async def test_a_flood_of_unknown_keys_does_not_reach_the_issuer(world: World) -> None:
    await world.verifier.verify(world.issuer.token(ADA))
    world.issuer.kid = "forged"
    forged = world.issuer.token(ADA)
    world.issuer.kid = "development"
    for _ in range(20):
        await world.refused(forged)
    assert world.fetches == 1


async def test_a_new_key_of_the_issuer_is_found_after_a_moment(world: World) -> None:
    await world.verifier.verify(world.issuer.token(ADA))
    world.issuer.kid = "rotated"
    token = world.issuer.token(ADA)
    world.clock.advance(seconds=REFETCH_PAUSE.total_seconds() + 1)
    assert await world.verifier.verify(token) == ADA


async def test_an_issuer_that_does_not_answer_is_unavailability_and_not_a_refusal(world: World) -> None:
    world.down = True
    token = world.issuer.token(ADA)
    with pytest.raises(Unavailable):
        await world.verifier.verify(token)
    world.down = False
    assert await world.verifier.verify(token) == ADA
