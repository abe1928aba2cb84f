"""Rules of passwords and confirmation codes."""

import hashlib
from typing import Final

MIN_PASSWORD: Final = 10
CODE_SUBJECT, CODE_MESSAGE = "Your Tenfold code", "Your confirmation code is {####}."


def is_strong(password: str) -> bool:
    """Whether it satisfies errors.PASSWORD_RULE, which is also the user pool's policy."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return len(password) >= MIN_PASSWORD and all(any(map(kind, password)) for kind in kinds)


def code_digest(user_id: str, code: str) -> str:
    """The digest of a confirmation code. It is stored once the code has been used and is worth nothing any more."""
    return hashlib.sha256(f"{user_id} {code}".encode()).hexdigest()
