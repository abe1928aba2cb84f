"""Token claims: made from the stored rows of a user's account. Pure, and without pydantic: the Lambda that every
sign-in waits for imports this module."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chassis.storage.keys import user_prefix  # unscoped(raw-key): the token trigger starts before there is any scope

ACCOUNT = "ACCOUNT"
"""The kind of all rows of an account. They share one partition, so that one consistent read returns all of them."""
PROFILE_ROW = "PROFILE"
MEMBERSHIP_ROW = "MEMBERSHIP#"


class AnyMembership(Protocol):
    """A membership, as an aggregate or as a row; `id` is the organization's."""

    @property
    def id(self) -> str: ...
    @property
    def active(self) -> bool: ...


M = TypeVar("M", bound=AnyMembership)


@dataclass(frozen=True)
class _MembershipRow:
    id: str
    active: bool
    role: str
    version: int
    overrides: Mapping[str, str]
    """The claims `grants` and `denies`; an empty list makes no claim."""


def user_id_of(sub: str) -> str:
    """Our id of the user with Cognito's id `sub` (a UUID)."""
    return f"user_{sub.replace('-', '').lower()}"


def partition_of(user_id: str) -> str:
    """The partition key of an account, for code that has no scope. Equal to `scope.key(ACCOUNT).pk`."""
    return f"{user_prefix(user_id)}#{ACCOUNT}"


def choose_membership(active_org_id: str | None, memberships: Iterable[M]) -> M | None:
    """The membership to work in: that of the organization switched to while it lasts, else that of the oldest
    organization (by its id). None without an active membership."""
    active = sorted((each for each in memberships if each.active), key=lambda each: each.id)
    return next((each for each in active if each.id == active_org_id), active[0] if active else None)


def token_claims(user_id: str, rows: Iterable[Mapping[str, Any]], *, email: str, name: str) -> dict[str, str]:
    """The claims of `chassis.auth.tokens.TokenClaims`, from the rows of the account as they are stored.

    All values are strings, which every identity provider accepts. Without a profile (a first sign-in before the
    registration is stored) `email` and `name` are used; without a membership there is no claim of an organization.
    """
    profile: Mapping[str, Any] = {}
    memberships = []
    for row in rows:
        if row["SK"] == PROFILE_ROW:
            profile = row
        elif row["SK"].startswith(MEMBERSHIP_ROW):
            overrides = {name: " ".join(row[name]) for name in ("grants", "denies") if row.get(name)}
            memberships.append(_MembershipRow(row["id"], row["active"], row["role"], row["version"], overrides))
    claims = {"user_id": user_id, "email": profile.get("email", email), "name": profile.get("name", name)}
    membership = choose_membership(profile.get("active_org_id"), memberships)
    if membership is None:
        return claims
    organization = {"org": membership.id, "role": membership.role, "mv": str(membership.version)}
    return claims | organization | dict(membership.overrides)
