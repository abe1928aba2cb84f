"""Cognito's refusals as our errors. How Cognito behaves is tested in test_ministack.py."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
import pytest

from awsjson import AwsError, ConnectionFailed, DeadlineExceeded, Throttled
from chassis.errors import Invalid, NotFound, TenfoldError, Unavailable
from services.identity.adapters.cognito import Cognito
from services.identity.errors import (
    AddressTaken,
    AlreadyConfirmed,
    Locked,
    NotConfirmed,
    SessionEnded,
    WeakPassword,
    WrongCode,
    WrongCredentials,
)
from services.identity.ports import Person

SUB = "0b9e5c5a-77b1-4d0e-a0a4-1f3c6f1d2e3f"
USER_ID = "user_0b9e5c5a77b14d0ea0a41f3c6f1d2e3f"
SECRET = "Blue-Harbor-47"
CLAIMS = {"user_id": USER_ID, "email": "ada@acme.example", "name": "Ada", "org": "org_a", "role": "admin", "mv": "7"}


class CannedCalls:
    """Gives each operation its answer, and records the calls."""

    def __init__(self, **answers: dict[str, Any] | AwsError) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "cognito-idp"
        assert timeout is not None
        self.asked.append((operation, dict(params)))
        answer = self.answers[operation]
        if isinstance(answer, AwsError):
            raise answer
        return answer


def cognito(**answers: dict[str, Any] | AwsError) -> Cognito:
    return Cognito(CannedCalls(**answers), "pool", "client")


def refusing(code: str, message: str = "said by Cognito") -> AwsError:
    return AwsError(code, message, status=400)


def user(status: str = "CONFIRMED", **attributes: str) -> dict[str, Any]:
    given = {"sub": SUB, "email": "ada@acme.example", "name": "Ada", **attributes}
    return {"UserStatus": status, "UserAttributes": [{"Name": key, "Value": value} for key, value in given.items()]}


def token(**claims: Any) -> str:
    return jwt.encode(claims, "a-key-of-somebody-else-32-bytes-long", algorithm="HS256")


async def sign_up(provider: Cognito) -> object:
    return await provider.sign_up("ada@acme.example", SECRET, "Ada", invited=True, attempt="attempt_1")


async def confirm(provider: Cognito) -> object:
    await provider.confirm("ada@acme.example", "123456")
    return None


async def person(provider: Cognito) -> object:
    return await provider.person("ada@acme.example")


async def sign_in(provider: Cognito) -> object:
    return await provider.sign_in("ada@acme.example", SECRET)


async def refresh(provider: Cognito) -> object:
    return await provider.refresh("refresh-token")


REFUSALS: list[tuple[Callable[[Cognito], Awaitable[object]], str, str, str, type[TenfoldError]]] = [
    (sign_up, "SignUp", "InvalidPasswordException", "too short", WeakPassword),
    (sign_up, "SignUp", "InvalidParameterException", f"Value '{SECRET}' at 'password'", Invalid),
    (sign_up, "SignUp", "CodeDeliveryFailureException", "bounced", Unavailable),
    (confirm, "ConfirmSignUp", "CodeMismatchException", "", WrongCode),
    (confirm, "ConfirmSignUp", "ExpiredCodeException", "", WrongCode),
    (confirm, "ConfirmSignUp", "UserNotFoundException", "", WrongCode),
    (confirm, "ConfirmSignUp", "TooManyFailedAttemptsException", "", WrongCode),
    (confirm, "ConfirmSignUp", "NotAuthorizedException", "User is disabled.", WrongCode),
    (confirm, "ConfirmSignUp", "NotAuthorizedException", "Current status is CONFIRMED", AlreadyConfirmed),
    (person, "AdminGetUser", "UserNotFoundException", "", NotFound),
    (sign_in, "InitiateAuth", "NotAuthorizedException", "Incorrect username or password.", WrongCredentials),
    (sign_in, "InitiateAuth", "NotAuthorizedException", "Password attempts exceeded", Locked),
    (sign_in, "InitiateAuth", "UserNotFoundException", "", WrongCredentials),
    (sign_in, "InitiateAuth", "UserNotConfirmedException", "", NotConfirmed),
    (sign_in, "InitiateAuth", "PasswordResetRequiredException", "", WrongCredentials),
    (sign_in, "InitiateAuth", "UnexpectedLambdaException", "the trigger failed", Unavailable),
    (refresh, "InitiateAuth", "NotAuthorizedException", "Refresh Token has been revoked", SessionEnded),
]


@pytest.mark.parametrize(("ask", "operation", "code", "message", "refusal"), REFUSALS)
async def test_refusals_have_our_types_and_words(
    ask: Callable[[Cognito], Awaitable[object]], operation: str, code: str, message: str, refusal: type[TenfoldError]
) -> None:
    with pytest.raises(TenfoldError) as caught:
        await ask(cognito(**{operation: refusing(code, message)}))
    assert type(caught.value) is refusal
    assert not message or message not in caught.value.detail


@pytest.mark.parametrize("failure", [Throttled("TooManyRequestsException"), ConnectionFailed(), DeadlineExceeded()])
async def test_a_provider_that_does_not_answer_is_unavailable(failure: AwsError) -> None:
    with pytest.raises(Unavailable):
        await sign_in(cognito(InitiateAuth=failure))


async def test_what_we_never_thought_of_stays_visible() -> None:
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        await sign_in(cognito(InitiateAuth=refusing("ResourceNotFoundException")))


async def test_what_a_registration_needs_is_kept_with_the_user() -> None:
    calls = CannedCalls(SignUp={"UserSub": SUB})
    assert await sign_up(Cognito(calls, "pool", "client")) == USER_ID
    [(_, asked)] = calls.asked
    assert (asked["ClientId"], asked["Username"], asked["Password"]) == ("client", "ada@acme.example", SECRET)
    assert {each["Name"]: each["Value"] for each in asked["UserAttributes"]} == {
        "email": "ada@acme.example",
        "name": "Ada",
        "custom:invited": "true",
        "custom:attempt": "attempt_1",
    }


async def test_an_address_taken_by_the_same_attempt_is_ours() -> None:
    taken = refusing("UsernameExistsException")
    ours = user("UNCONFIRMED", **{"custom:attempt": "attempt_1"})
    assert await sign_up(cognito(SignUp=taken, AdminGetUser=ours)) == USER_ID


@pytest.mark.parametrize("attributes", [{}, {"custom:attempt": "attempt_2"}])
async def test_an_address_taken_by_another_attempt_is_taken(attributes: dict[str, str]) -> None:
    with pytest.raises(AddressTaken):
        await sign_up(cognito(SignUp=refusing("UsernameExistsException"), AdminGetUser=user(**attributes)))


async def test_a_person_is_who_confirmed() -> None:
    found = await person(cognito(AdminGetUser=user(**{"custom:invited": "true"})))
    assert found == Person(USER_ID, "ada@acme.example", "Ada", invited=True)
    assert await person(cognito(AdminGetUser=user())) == Person(USER_ID, "ada@acme.example", "Ada", invited=False)


async def test_who_has_not_confirmed_is_nobody() -> None:
    with pytest.raises(NotFound):
        await person(cognito(AdminGetUser=user("UNCONFIRMED")))


async def test_tokens_come_with_their_claims() -> None:
    result = {"AccessToken": token(**CLAIMS), "RefreshToken": "refresh", "ExpiresIn": 28800}
    tokens = await cognito(InitiateAuth={"AuthenticationResult": result}).sign_in("ada@acme.example", SECRET)
    assert (tokens.refresh_token, tokens.expires_in) == ("refresh", 28800)
    assert (tokens.claims.user_id, tokens.claims.org, tokens.claims.mv) == (USER_ID, "org_a", 7)
    assert tokens.access_token not in repr(tokens)


async def test_a_refresh_may_keep_the_refresh_token() -> None:
    result = {"AccessToken": token(**CLAIMS), "ExpiresIn": 28800}
    tokens = await cognito(InitiateAuth={"AuthenticationResult": result}).refresh("refresh")
    assert tokens.refresh_token is None


async def test_a_token_without_our_claims_is_not_handed_out() -> None:
    result = {"AccessToken": token(sub=SUB), "RefreshToken": "refresh", "ExpiresIn": 28800}
    with pytest.raises(Unavailable):
        await sign_in(cognito(InitiateAuth={"AuthenticationResult": result}))


async def test_a_challenge_is_no_sign_in() -> None:
    with pytest.raises(NotConfirmed):
        await sign_in(cognito(InitiateAuth={"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s"}))


@pytest.mark.parametrize("code", ["UserNotFoundException", "InvalidParameterException"])
async def test_asking_for_a_code_never_tells_who_is_known(code: str) -> None:
    await cognito(ResendConfirmationCode=refusing(code)).resend_code("ada@acme.example")


async def test_signing_out_twice_is_signed_out() -> None:
    await cognito(GlobalSignOut=refusing("NotAuthorizedException")).sign_out("access-token")


async def test_a_sign_out_that_did_not_happen_is_an_error() -> None:
    with pytest.raises(Unavailable):
        await cognito(GlobalSignOut=ConnectionFailed()).sign_out("access-token")
