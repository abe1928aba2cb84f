from collections.abc import Callable

import jwt
import pytest

from contracts.common import Role
from contracts.identity.v1 import SignInFailed, UserSignedIn
from services.identity.adapters.development import MAX_FAILURES
from tests.services.identity.conftest import EMAIL, PASSWORD, Identity


def claims_in(token: str) -> dict[str, object]:
    payload: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return {name: payload.get(name) for name in ("user_id", "email", "name", "org", "role", "mv")}


async def test_a_sign_in_gives_tokens(identity: Identity) -> None:
    user_id = await identity.register()
    answer = await identity.sign_in()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["expires_in"], body["token_type"]) == (8 * 3600, "Bearer")
    assert claims_in(body["access_token"]) == {
        "user_id": user_id,
        "email": EMAIL,
        "name": "Ada",
        "org": None,
        "role": None,
        "mv": 0,
    }
    assert body["refresh_token"] != body["access_token"]


async def test_a_sign_in_is_published_in_the_organization_of_its_token(identity: Identity) -> None:
    user_id = await identity.register()
    await identity.sign_in()
    await identity.join(user_id, "org_acme", Role.ADMIN)
    await identity.sign_in()
    before, after = await identity.service.published_events(UserSignedIn)
    assert (before.orgid, after.orgid) == ("org_system", "org_acme")
    assert {before.actor, after.actor, before.data["user_id"]} == {user_id}


async def test_a_repeated_sign_in_is_published_once(identity: Identity) -> None:
    await identity.register()
    for key in ("one", "one", "two"):
        assert (await identity.sign_in(key=key)).status_code == 200
    assert len(await identity.service.published_events(UserSignedIn)) == 2


async def test_a_key_of_one_user_does_not_hide_anothers_sign_in(identity: Identity) -> None:
    for email in (EMAIL, "bo@acme.example"):
        await identity.register(email)
        assert (await identity.sign_in(email, key="same")).status_code == 200
    assert len(await identity.service.published_events(UserSignedIn)) == 2


async def test_tokens_are_answered_but_never_kept(identity: Identity) -> None:
    await identity.register()
    answer = await identity.sign_in(key="one")
    assert answer.json()["refresh_token"] not in repr(identity.table.items)
    assert "Idempotency-Replayed" not in (await identity.sign_in(key="one")).headers


async def test_a_wrong_password_is_published_and_refused(identity: Identity) -> None:
    await identity.register()
    answer = await identity.sign_in(password="Not-my-password-1")
    assert answer.status_code == 401
    [event] = await identity.service.published_events(SignInFailed)
    assert event.data == {"email": EMAIL, "reason": "wrong_credentials"}
    assert (event.orgid, event.actor) == ("org_system", "system")
    assert await identity.service.published_events(UserSignedIn) == []


async def test_an_unknown_address_is_refused_like_a_wrong_password(identity: Identity) -> None:
    await identity.register()
    wrong, unknown = await identity.sign_in(password="Not-my-1"), await identity.sign_in("x@acme.example")
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())
    assert [event.subject for event in await identity.service.published_events(SignInFailed)] == [
        EMAIL,
        "x@acme.example",
    ]


async def test_one_idempotency_key_does_not_hide_several_guesses(identity: Identity) -> None:
    await identity.register()
    for guess in ("Guess-number-1", "Guess-number-2"):
        await identity.sign_in(password=guess, key="one")
    assert len(await identity.service.published_events(SignInFailed)) == 2


async def test_an_unconfirmed_address_cannot_sign_in(identity: Identity) -> None:
    await identity.sign_up()
    answer = await identity.sign_in()
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/not-confirmed")
    [event] = await identity.service.published_events(SignInFailed)
    assert event.data["reason"] == "not_confirmed"


async def test_too_many_wrong_passwords_lock_the_address(identity: Identity) -> None:
    await identity.register()
    for _ in range(MAX_FAILURES):
        await identity.sign_in(password="Not-my-password-1")
    answer = await identity.sign_in()
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/locked")
    assert (await identity.service.published_events(SignInFailed))[-1].data["reason"] == "locked"


async def test_a_refresh_gives_the_claims_of_now(identity: Identity) -> None:
    user_id = await identity.register()
    session = (await identity.sign_in()).json()
    await identity.join(user_id, "org_acme", Role.MEMBER, version=1)
    await identity.change_role(user_id, "org_acme", Role.MANAGER, version=2)
    answer = await identity.call("POST", "/v1/auth/refresh", {"refresh_token": session["refresh_token"]})
    assert answer.status_code == 200
    refreshed = answer.json()
    assert set(refreshed) == set(session)
    assert refreshed["refresh_token"] == session["refresh_token"]
    token = claims_in(refreshed["access_token"])
    assert (token["org"], token["role"], token["mv"]) == ("org_acme", "manager", 2)


async def test_an_unknown_refresh_token_is_refused(identity: Identity) -> None:
    answer = await identity.call("POST", "/v1/auth/refresh", {"refresh_token": "made-up"})
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/session-ended")


async def test_a_sign_out_ends_every_session_of_that_user_alone(identity: Identity) -> None:
    await identity.register()
    await identity.register("bo@acme.example")
    one, two = (await identity.sign_in()).json(), (await identity.sign_in()).json()
    bos = (await identity.sign_in("bo@acme.example")).json()
    answer = await identity.call("POST", "/v1/auth/sign-out", token=one["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    statuses = [
        (await identity.call("POST", "/v1/auth/refresh", {"refresh_token": each["refresh_token"]})).status_code
        for each in (one, two, bos)
    ]
    assert statuses == [401, 401, 200]


FORGED: list[Callable[[str], str | None]] = [
    lambda _: None,
    lambda _: "no-token",
    lambda token: token[:-8] + "AAAAAAAA",
]


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/auth/sign-out", None),
        ("GET", "/v1/me", None),
        ("PUT", "/v1/me/active-organization", {"org_id": "org_acme"}),
    ],
)
async def test_who_is_not_signed_in_is_refused(
    identity: Identity, method: str, path: str, body: object, forged: Callable[[str], str | None]
) -> None:
    await identity.register()
    answer = await identity.call(method, path, body, token=forged(await identity.token()))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_ends_after_eight_hours(identity: Identity) -> None:
    await identity.register()
    token = await identity.token()
    identity.service.clock.advance(hours=8, seconds=-1)
    assert (await identity.call("GET", "/v1/me", token=token)).status_code == 200
    identity.service.clock.advance(minutes=1)
    assert (await identity.call("GET", "/v1/me", token=token)).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/sign-in", {"email": EMAIL, "password": PASSWORD, "remember": True}),
        ("/v1/auth/sign-in", {"email": EMAIL}),
        ("/v1/auth/refresh", {"refresh_token": "x" * 9000}),
        ("/v1/auth/confirm", {"email": EMAIL, "code": "1" * 33}),
        ("/v1/auth/resend-code", {}),
    ],
)
async def test_wrong_bodies_are_refused(identity: Identity, path: str, body: object) -> None:
    assert (await identity.call("POST", path, body)).status_code == 422
