"""Errors of identity. Of those of a sign-up or sign-in, only AddressTaken, NotConfirmed and Locked say that an address
is known, because they must."""

from typing import Literal

from chassis.errors import AlreadyExists, Conflict, FieldError, Invalid, Unauthenticated

PASSWORD_RULE = "A password has at least 10 characters, including lower-case letters, upper-case letters and digits."  # noqa: S105


class AddressTaken(AlreadyExists):
    def __init__(self) -> None:
        super().__init__("This address is registered already: confirm it with the code from its e-mail, or sign in.")


class WeakPassword(Invalid):
    def __init__(self) -> None:
        super().__init__(PASSWORD_RULE, [FieldError("body.password", PASSWORD_RULE)])


class WrongCode(Invalid):
    def __init__(self) -> None:
        detail = "The code is wrong or has expired; ask for a new one."
        super().__init__(detail, [FieldError("body.code", detail)])


class AlreadyConfirmed(Conflict):
    def __init__(self) -> None:
        super().__init__("This address is confirmed already; sign in.")


class WrongCredentials(Unauthenticated):
    """Also for an unknown address: the two answers are the same."""

    reason: Literal["wrong_credentials"] = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("The address or the password is wrong.")


class Locked(Unauthenticated):
    kind = "locked"
    reason: Literal["locked"] = "locked"

    def __init__(self) -> None:
        super().__init__("Too many wrong passwords; wait a quarter of an hour and try again.")


class NotConfirmed(Conflict):
    kind = "not-confirmed"
    reason: Literal["not_confirmed"] = "not_confirmed"

    def __init__(self) -> None:
        super().__init__("The address is not confirmed yet; confirm it with the code from its e-mail.")


class SessionEnded(Unauthenticated):
    kind = "session-ended"

    def __init__(self) -> None:
        super().__init__("This session has ended; sign in again.")


class KeyMadeBefore(Conflict):
    """A repeated request cannot show again what was shown once."""

    def __init__(self) -> None:
        super().__init__(
            "An earlier try made this key, and its secret is shown only once: rotate the key to get another."
        )
