"""Who a user is and where they belong. What tokens say of it is in account.py."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import StringConstraints

from chassis.tenants.api_keys import ApiKey
from chassis.work.repository import Aggregate
from contracts.common import ApiKeyId, OrgId, Role

Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*$"
    ),
]
"""Small letters: addresses that differ in case are one. Whether it exists, only the code sent to it can tell."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

MIN_PASSWORD: Final = 10
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class Profile(Aggregate):
    """A registered user; `id` is the user's. `active_org_id` is where they switched to, which they may have left."""

    email: str
    name: str
    registered_at: datetime
    active_org_id: OrgId | None = None
    confirmed_with: str | None = None
    """What `spent` made of the code that confirmed the address, by which a repeated confirmation is recognized."""


class Membership(Aggregate):
    """A projection of tenancy's: `id` is the organization's, `version` the membership's. It stays when it ends."""

    role: Role
    active: bool = True
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


class OwnedKey(ApiKey):
    """An API key, with what only its list tells."""

    created_at: datetime
    good_until: datetime | None = None
    """The end of its newest secret, if one was set."""


class LastUse(Aggregate):
    """When a key, which `id` names, was last used: `version` is that moment, in microseconds since 1970."""

    @classmethod
    def at(cls, key_id: ApiKeyId, moment: datetime) -> Self:
        return cls(id=key_id, version=(moment - EPOCH) // MICROSECOND)

    @property
    def moment(self) -> datetime:
        return EPOCH + self.version * MICROSECOND


def strong(password: str) -> bool:
    """Whether it keeps the rule of errors.PASSWORD_RULE, which the user pool's policy states too."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return len(password) >= MIN_PASSWORD and all(any(map(kind, password)) for kind in kinds)


def spent(user_id: str, code: str) -> str:
    """The digest of a confirmation code, which is worth nothing any more."""
    return hashlib.sha256(f"{user_id} {code}".encode()).hexdigest()
