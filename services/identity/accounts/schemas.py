"""Request bodies and views of a registration."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr

from chassis.http.schemas import RequestBody, View
from contracts.common import UserId
from services.identity.profiles.model import Email, Name

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]


class SignUp(RequestBody):
    email: Email
    password: Password
    name: Name
    invitation_token: str | None = Field(default=None, min_length=1, max_length=512)
    """The token of the invitation that brought them here. They then get no organization of their own."""


class SignedUp(View):
    user_id: UserId
    status: Literal["confirmation_required"] = "confirmation_required"

    @classmethod
    def of(cls, user_id: str) -> Self:
        return cls(user_id=user_id)


class Address(RequestBody):
    email: Email


class Confirmation(RequestBody):
    email: Email
    code: str = Field(min_length=1, max_length=32)


class ConfirmedUser(View):
    user_id: UserId

    @classmethod
    def of(cls, user_id: str) -> Self:
        return cls(user_id=user_id)
