"""The event of a refused sign-in, which belongs to no aggregate."""

from contracts.identity.v1 import SignInFailed
from services.identity.errors import Locked, NotConfirmed, WrongCredentials

UNVERSIONED = 0
"""The version with which it is published."""


def sign_in_failed_event(email: str, refusal: WrongCredentials | Locked | NotConfirmed) -> SignInFailed:
    return SignInFailed(email=email, reason=refusal.reason)
