"""The development provider, used without Cognito: what it stores, where it may be chosen, which key it signs with."""

import asyncio
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from pydantic import ValidationError

from awsjson import AwsError
from chassis.auth.development import DevelopmentIssuer
from chassis.declare.resource_names import Names
from chassis.declare.stack import StackContext
from chassis.errors import Unavailable
from chassis.testing.service import FakeClock
from services.identity.adapters.development import scrypt_hash
from services.identity.adapters.signing import StoredKeyIssuer
from services.identity.settings import IdentitySettings
from services.identity.stack import resources
from tests.services.identity.conftest import EMAIL, PASSWORD, Identity

DEVELOPMENT: dict[str, Any] = {
    "tenfold_identity_provider": "development",
    "tenfold_mailbox": "box",
    "aws_endpoint_url": "http://x",
}


class FakeSecrets:
    """Secrets Manager in memory. `gate` lets two callers meet between reading and creating a secret."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.gate: asyncio.Barrier | None = None

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "secretsmanager"
        if operation == "GetSecretValue":
            value = self.values.get(params["SecretId"])
            if value is None:
                raise refusal("ResourceNotFoundException")
            return {"SecretString": value}
        if self.gate:
            await self.gate.wait()
        if params["Name"] in self.values:
            raise refusal("ResourceExistsException")
        self.values[params["Name"]] = params["SecretString"]
        return {}


def refusal(code: str) -> AwsError:
    return AwsError(code, "no", service="secretsmanager", operation="X", status=400)


def published(issuer: DevelopmentIssuer) -> Any:
    return issuer.keys()["keys"][0]["n"]


async def test_all_processes_of_a_stage_sign_with_one_key_which_outlives_them() -> None:
    secrets = FakeSecrets()
    secrets.gate = asyncio.Barrier(2)
    issuers = [StoredKeyIssuer(secrets, "key", FakeClock()) for _ in range(2)]
    one, other = await asyncio.gather(*(each.get() for each in issuers))
    secrets.gate = None
    later = await StoredKeyIssuer(secrets, "key", FakeClock()).get()
    assert published(one) == published(other) == published(later)
    assert published(await StoredKeyIssuer(secrets, "another-stage", FakeClock()).get()) != published(one)


class SlowToShow(FakeSecrets):
    """Has the secret and does not show it yet, which Secrets Manager may do for a moment."""

    shown = False

    async def call(self, service: str, operation: str, *more: Any, **options: Any) -> dict[str, Any]:
        if operation == "GetSecretValue" and not self.shown:
            raise refusal("ResourceNotFoundException")
        return await super().call(service, operation, *more, **options)


async def test_no_process_signs_with_a_key_that_no_other_has() -> None:
    secrets = SlowToShow()
    first = await StoredKeyIssuer(secrets, "key", FakeClock()).get()
    second = StoredKeyIssuer(secrets, "key", FakeClock())
    with pytest.raises(Unavailable):
        await second.get()
    secrets.shown = True
    assert published(await second.get()) == published(first)


async def test_the_keys_are_published_and_verify_its_tokens(identity: Identity) -> None:
    await identity.register()
    answer = await identity.call("GET", "/v1/auth/keys")
    assert answer.status_code == 200
    [key] = answer.json()["keys"]
    assert "d" not in key
    claims = jwt.decode(
        await identity.token(),
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["email"] == EMAIL


async def test_what_is_stored_lets_nobody_sign_in(identity: Identity) -> None:
    await identity.register()
    session = (await identity.sign_in()).json()
    stored = repr(identity.provider.accounts.items)
    assert EMAIL in stored
    for secret in (PASSWORD, identity.provider.codes[EMAIL], session["refresh_token"], session["access_token"]):
        assert secret not in stored


async def test_a_password_is_hashed_by_scrypt_with_its_own_salt() -> None:
    """RFC 7914's function, at a cost that makes guessing slow."""
    one, same, other = [await scrypt_hash(PASSWORD, salt) for salt in (b"a" * 16, b"a" * 16, b"b" * 16)]
    assert one == same != other
    assert len(one) == 64


async def test_a_locked_account_opens_after_a_quarter_of_an_hour(identity: Identity) -> None:
    await identity.register()
    for _ in range(5):
        await identity.sign_in(password="Wrong-Password-1")
    assert (await identity.sign_in()).json()["type"].endswith("/locked")
    identity.service.clock.advance(minutes=16)
    assert (await identity.sign_in()).status_code == 200


async def test_a_session_ends_after_a_day(identity: Identity) -> None:
    await identity.register()
    body = {"refresh_token": (await identity.sign_in()).json()["refresh_token"]}
    assert (await identity.call("POST", "/v1/auth/refresh", body)).status_code == 200
    identity.service.clock.advance(hours=25)
    assert (await identity.call("POST", "/v1/auth/refresh", body)).status_code == 401


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tenfold_stage": "prod"}, "never for prod"),
        ({"aws_endpoint_url": None}, "embedded AWS only"),
        ({"tenfold_mailbox": ""}, "TENFOLD_MAILBOX"),
        ({"tenfold_identity_provider": "cognito"}, "IDENTITY_USER_POOL_ID"),
    ],
)
def test_it_is_chosen_only_where_it_may_be(given: dict[str, Any], said: str) -> None:
    IdentitySettings(**DEVELOPMENT)
    with pytest.raises(ValidationError, match=said):
        IdentitySettings(**DEVELOPMENT | given)


def test_a_stage_without_cognito_gets_no_pool_and_no_trigger() -> None:
    context = StackContext(Names("e2e"), "identity", local=True, without=frozenset({"cognito-idp"}))
    part = resources(context)
    assert (part.resources, part.functions) == ({}, {})
    assert part.environment == {"TENFOLD_IDENTITY_PROVIDER": "development", "TENFOLD_MAILBOX": "tenfold-e2e-mailbox"}
