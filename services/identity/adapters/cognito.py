"""Cognito as the identity provider: one user pool, one client, and a trigger that puts our claims into its tokens."""

from collections.abc import Callable, Mapping
from typing import Any

import jwt
from pydantic import ValidationError

from awsjson import AwsError
from chassis.auth.tokens import TokenClaims
from chassis.aws.client import AwsCalls
from chassis.errors import Invalid, NotFound, TenfoldError, Unavailable
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
from services.identity.memberships.claims import user_id_of
from services.identity.ports import Person, Tokens

TIMEOUT = 10.0
"""Seconds, over all attempts: Cognito itself waits five for its trigger."""
INVITED = "custom:invited"
ATTEMPT = "custom:attempt"
"""Cognito stores with the user what registering them needs, so that it exists exactly if the user does."""

Refusals = Mapping[str, Callable[[AwsError], TenfoldError]]

TRIGGER_FAILED = frozenset(
    {"UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"}
)
SIGN_UP: Refusals = {
    "UsernameExistsException": lambda _: AddressTaken(),
    "InvalidPasswordException": lambda _: WeakPassword(),
    "InvalidParameterException": lambda _: Invalid("The address, the name or the password is not acceptable."),
    "CodeDeliveryFailureException": lambda _: Unavailable("The code could not be sent; ask for another one."),
}
# Asking for a code must not reveal whether an address is registered, nor whether it is confirmed.
RESEND = frozenset({"UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"})
CONFIRM: Refusals = {
    "CodeMismatchException": lambda _: WrongCode(),
    "ExpiredCodeException": lambda _: WrongCode(),
    "UserNotFoundException": lambda _: WrongCode(),
    "InvalidParameterException": lambda _: WrongCode(),
    "TooManyFailedAttemptsException": lambda _: WrongCode(),
    "NotAuthorizedException": lambda error: (
        AlreadyConfirmed() if "status is CONFIRMED" in error.message else WrongCode()
    ),
}
PERSON: Refusals = {"UserNotFoundException": lambda _: NotFound("user")}
SIGN_IN: Refusals = {
    "NotAuthorizedException": lambda error: (
        Locked() if "attempts exceeded" in error.message.lower() else WrongCredentials()
    ),
    "UserNotFoundException": lambda _: WrongCredentials(),
    "InvalidParameterException": lambda _: WrongCredentials(),
    "PasswordResetRequiredException": lambda _: WrongCredentials(),
    "UserNotConfirmedException": lambda _: NotConfirmed(),
}
REFRESH: Refusals = {
    "NotAuthorizedException": lambda _: SessionEnded(),
    "UserNotFoundException": lambda _: SessionEnded(),
    "InvalidParameterException": lambda _: SessionEnded(),
}


class Cognito:
    """Implements IdentityProvider. Cognito's own messages are not passed on: some repeat what was sent."""

    def __init__(self, calls: AwsCalls, pool_id: str, client_id: str) -> None:
        self._calls, self._pool_id, self._client_id = calls, pool_id, client_id

    async def sign_up(self, email: str, password: str, name: str, *, invited: bool, attempt: str) -> str:
        attributes = {"email": email, "name": name, INVITED: str(invited).lower(), ATTEMPT: attempt}
        params = {
            "ClientId": self._client_id,
            "Username": email,
            "Password": password,
            "UserAttributes": [{"Name": key, "Value": value} for key, value in attributes.items()],
        }
        try:
            answer = await self._call("SignUp", params, SIGN_UP)
        except AddressTaken:
            existing = _attributes(await self._user(email))
            if existing.get(ATTEMPT) != attempt:
                raise
            return user_id_of(existing["sub"])
        return user_id_of(answer["UserSub"])

    async def resend_code(self, email: str) -> None:
        ignored: Refusals = dict.fromkeys(RESEND, lambda _: NotFound("user"))
        try:
            await self._call("ResendConfirmationCode", {"ClientId": self._client_id, "Username": email}, ignored)
        except NotFound:
            return

    async def confirm(self, email: str, code: str) -> None:
        params = {"ClientId": self._client_id, "Username": email, "ConfirmationCode": code}
        await self._call("ConfirmSignUp", params, CONFIRM)

    async def person(self, email: str) -> Person:
        user = await self._user(email)
        if user["UserStatus"] == "UNCONFIRMED":
            raise NotFound("user")
        attributes = _attributes(user)
        return Person(
            user_id=user_id_of(attributes["sub"]),
            email=attributes["email"],
            name=attributes.get("name", ""),
            invited=attributes.get(INVITED) == "true",
        )

    async def sign_in(self, email: str, password: str) -> Tokens:
        return await self._tokens("USER_PASSWORD_AUTH", {"USERNAME": email, "PASSWORD": password}, SIGN_IN)

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._tokens("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token}, REFRESH)

    async def sign_out(self, access_token: str) -> None:
        try:
            await self._call("GlobalSignOut", {"AccessToken": access_token}, REFRESH)
        except SessionEnded:
            return

    async def keys(self) -> dict[str, Any]:
        raise NotFound("key set")  # Cognito publishes its keys itself

    async def _user(self, email: str) -> dict[str, Any]:
        return await self._call("AdminGetUser", {"UserPoolId": self._pool_id, "Username": email}, PERSON)

    async def _tokens(self, flow: str, parameters: Mapping[str, str], refusals: Refusals) -> Tokens:
        params = {"ClientId": self._client_id, "AuthFlow": flow, "AuthParameters": parameters}
        answer = await self._call("InitiateAuth", params, refusals)
        if "AuthenticationResult" not in answer:  # a challenge: an operator created this user, who has no password yet
            raise NotConfirmed
        result = answer["AuthenticationResult"]
        return Tokens(
            access_token=result["AccessToken"],
            refresh_token=result.get("RefreshToken"),
            expires_in=result["ExpiresIn"],
            claims=_parse_claims(result["AccessToken"]),
        )

    async def _call(self, operation: str, params: Mapping[str, Any], refusals: Refusals) -> dict[str, Any]:
        try:
            return await self._calls.call("cognito-idp", operation, params, timeout=TIMEOUT)
        except AwsError as error:
            if refusal := refusals.get(error.code):
                raise refusal(error) from error
            if error.is_retryable or error.code in TRIGGER_FAILED:
                raise Unavailable("The identity provider does not answer; try again.") from error
            raise


def _attributes(user: Mapping[str, Any]) -> dict[str, str]:
    return {each["Name"]: each.get("Value", "") for each in user["UserAttributes"]}


def _parse_claims(access_token: str) -> TokenClaims:
    """The claims of a token that Cognito itself has just sent, so that its signature need not be checked."""
    try:
        return TokenClaims.model_validate(jwt.decode(access_token, options={"verify_signature": False}))
    except (jwt.InvalidTokenError, ValidationError) as error:
        raise Unavailable("The identity provider issued a token without our claims; try again.") from error
