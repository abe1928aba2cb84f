import re
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from contracts.identity.v1 import UserRegistered
from services.identity.ports import IdentityProvider
from tests.services.identity.conftest import EMAIL, PASSWORD, Identity
from tests.services.identity.fakes import ProviderInMemory


async def test_a_sign_up_waits_for_its_code(identity: Identity) -> None:
    answer = await identity.call(
        "POST", "/v1/auth/sign-up", {"email": EMAIL, "password": PASSWORD, "name": "Ada Lovelace"}
    )
    assert answer.status_code == 201
    assert answer.json()["status"] == "confirmation_required"
    assert re.fullmatch(r"user_[0-9a-z]{1,64}", answer.json()["user_id"])
    assert await identity.service.published_events() == []


async def test_confirming_registers_the_user(identity: Identity) -> None:
    user_id = await identity.sign_up()
    answer = await identity.confirm()
    assert (answer.status_code, answer.json()) == (200, {"user_id": user_id})
    [event] = await identity.service.published_events(UserRegistered)
    assert event.data == {"user_id": user_id, "email": EMAIL, "name": "Ada", "invited": False}
    assert (event.orgid, event.actor, event.aggregateversion) == ("org_system", user_id, 1)


async def test_who_comes_by_an_invitation_is_registered_as_invited(identity: Identity) -> None:
    await identity.register(invitation_token="a-token")
    [event] = await identity.service.published_events(UserRegistered)
    assert event.data["invited"] is True


async def test_a_repeated_confirmation_registers_once(identity: Identity) -> None:
    user_id = await identity.register()
    again = await identity.confirm()
    assert (again.status_code, again.json()) == (200, {"user_id": user_id})
    assert len(await identity.service.published_events(UserRegistered)) == 1


async def test_two_users_are_registered_twice(identity: Identity) -> None:
    """The control of the test above: it counts people, not confirmations."""
    assert await identity.register() != await identity.register("bo@acme.example")
    assert len(await identity.service.published_events(UserRegistered)) == 2


async def test_a_spent_code_is_no_oracle(identity: Identity) -> None:
    """A guess at a confirmed address reveals nothing, not even the user's id."""
    await identity.register()
    guessed = "000000" if identity.provider.codes[EMAIL] != "000000" else "111111"
    answer = await identity.confirm(code=guessed)
    assert answer.status_code == 422
    assert "user_" not in answer.text


async def test_a_confirmation_that_died_half_way_is_finished_by_its_repetition(identity: Identity) -> None:
    user_id = await identity.sign_up()
    await identity.provider.confirm(EMAIL, identity.provider.codes[EMAIL])  # and then the process was killed
    assert (await identity.confirm()).json() == {"user_id": user_id}
    assert len(await identity.service.published_events(UserRegistered)) == 1


async def test_a_confirmation_that_died_half_way_is_finished_by_a_sign_in(identity: Identity) -> None:
    user_id = await identity.sign_up(invitation_token="a-token")
    await identity.provider.confirm(EMAIL, identity.provider.codes[EMAIL])
    assert (await identity.sign_in()).status_code == 200
    assert (await identity.sign_in()).status_code == 200
    [event] = await identity.service.published_events(UserRegistered)
    assert (event.data["user_id"], event.data["invited"]) == (user_id, True)


async def test_a_wrong_code_is_refused(identity: Identity) -> None:
    await identity.sign_up()
    answer = await identity.confirm(code="no-code")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.code"
    assert await identity.service.published_events() == []


async def test_an_unknown_address_is_refused_like_a_wrong_code(identity: Identity) -> None:
    await identity.sign_up()
    wrong, unknown = await identity.confirm(code="no-code"), await identity.confirm("x@acme.example", "no-code")
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())


async def test_a_taken_address_is_refused_however_it_is_written(identity: Identity) -> None:
    await identity.register()
    body = {"email": " ADA@Acme.example ", "password": PASSWORD, "name": "Not Ada"}
    answer = await identity.call("POST", "/v1/auth/sign-up", body, key="somebody-else")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/already-exists")


async def test_a_repeated_sign_up_is_not_told_that_its_own_address_is_taken(identity: Identity) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "name": "Ada"}
    first = await identity.call("POST", "/v1/auth/sign-up", body, key="one")
    again = await identity.call("POST", "/v1/auth/sign-up", body, key="one")
    other = await identity.call("POST", "/v1/auth/sign-up", body, key="two")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()


async def test_a_fresh_code_replaces_the_old_one(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.identity.adapters.development._new_code", iter(["111111", "222222"]).__next__)
    await identity.sign_up()
    answer = await identity.call("POST", "/v1/auth/resend-code", {"email": EMAIL})
    assert answer.status_code == 202
    assert (await identity.confirm(code="111111")).status_code == 422
    assert (await identity.confirm(code="222222")).status_code == 200


async def test_asking_for_a_code_does_not_tell_who_is_known(identity: Identity) -> None:
    await identity.register()
    for email in (EMAIL, "nobody@acme.example"):
        answer = await identity.call("POST", "/v1/auth/resend-code", {"email": email})
        assert (answer.status_code, answer.text) == (202, "null")


@pytest.mark.parametrize("password", ["Short1x", "no-capital-letter-1", "NO-SMALL-LETTER-1", "No-digit-here"])
async def test_a_weak_password_is_refused(identity: Identity, password: str) -> None:
    body = {"email": EMAIL, "password": password, "name": "Ada"}
    answer = await identity.call("POST", "/v1/auth/sign-up", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.password"
    assert password not in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no-address"),
        ("email", "two@@acme.example"),
        ("email", "a b@acme.example"),
        ("email", f"{'a' * 250}@acme.example"),
        ("password", ""),
        ("password", "Aa1" * 100),
        ("name", "  "),
        ("name", "n" * 101),
        ("invitation_token", ""),
        ("invitation_token", "t" * 513),
        ("admin", True),
    ],
)
async def test_a_bad_field_is_named(identity: Identity, field: str, value: object) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "name": "Ada", field: value}
    answer = await identity.call("POST", "/v1/auth/sign-up", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [f"body.{field}"]


async def test_secrets_reach_neither_logs_nor_table_nor_events(identity: Identity) -> None:
    with capture_logs() as lines:
        await identity.register()
        session = (await identity.sign_in(key="k")).json()
        await identity.call("POST", "/v1/auth/refresh", {"refresh_token": session["refresh_token"]}, key="r")
        await identity.sign_in(password="Wrong-Password-1")
    secrets = {PASSWORD, "Wrong-Password-1", *identity.provider.codes.values(), *session.values()} - {28800, "Bearer"}
    stored = repr(identity.table.items) + repr(await identity.service.published_events())
    assert len(secrets) == 5
    for secret in secrets:
        assert str(secret) not in stored
        assert str(secret) not in repr(lines)
    assert EMAIL not in repr(lines)
    assert [line["status"] for line in lines if line["event"] == "request"] == [201, 200, 200, 200, 401]


async def test_a_restarted_development_provider_knows_the_same_ids(identity: Identity) -> None:
    """Its users are gone, but what is stored of them is found again."""
    user_id = await identity.register()
    fresh = ProviderInMemory(identity.service.issuer, identity.table, identity.service.clock)
    identity.service.context = replace(identity.service.context, ports={IdentityProvider: fresh})
    identity.provider = fresh
    assert await identity.register() == user_id
    assert len(await identity.service.published_events(UserRegistered)) == 1
