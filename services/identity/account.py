"""The rows of a user's account, and what their tokens say of them.

Pure, and light to import: a Lambda that every sign-in waits for stands on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chassis.storage.keys import user_prefix  # unscoped(raw-key): the token trigger starts before there is any scope

ACCOUNT = "ACCOUNT"
"""The kind of all these rows. They share one partition, so that one consistent read has them all."""
PROFILE_ROW = "PROFILE"
MEMBERSHIP_ROW = "MEMBERSHIP#"


class Held(Protocol):
    """A membership; `id` is the organization's."""

    @property
    def id(self) -> str: ...
    @property
    def active(self) -> bool: ...


M = TypeVar("M", bound=Held)


@dataclass(frozen=True)
class _Row:
    id: str
    active: bool
    role: str
    version: int
    overrides: Mapping[str, str]
    """The claims `grants` and `denies`; what is empty has none."""


def user_id_of(sub: str) -> str:
    """Our id of the person whom Cognito calls `sub` (a UUID)."""
    return f"user_{sub.replace('-', '').lower()}"


def partition_of(user_id: str) -> str:
    """Where the rows of an account are, for who has no scope: `scope.key(ACCOUNT).pk` says the same."""
    return f"{user_prefix(user_id)}#{ACCOUNT}"


def chosen(active_org_id: str | None, memberships: Iterable[M]) -> M | None:
    """The membership to work in: the one switched to while it lasts, else the oldest organization (by its id)."""
    held = sorted((each for each in memberships if each.active), key=lambda each: each.id)
    return next((each for each in held if each.id == active_org_id), held[0] if held else None)


def token_claims(user_id: str, rows: Iterable[Mapping[str, Any]], *, email: str, name: str) -> dict[str, str]:
    """The claims of `chassis.auth.tokens.Claims`, from the rows of the account as they are stored.

    All values are strings, which every identity provider takes. Without a profile (a first sign-in before the
    registration is stored) `email` and `name` stand in; without a membership there is no claim of an organization.
    """
    profile: Mapping[str, Any] = {}
    memberships = []
    for row in rows:
        if row["SK"] == PROFILE_ROW:
            profile = row
        elif row["SK"].startswith(MEMBERSHIP_ROW):
            overrides = {name: " ".join(row[name]) for name in ("grants", "denies") if row.get(name)}
            memberships.append(_Row(row["id"], row["active"], row["role"], row["version"], overrides))
    claims = {"user_id": user_id, "email": profile.get("email", email), "name": profile.get("name", name)}
    membership = chosen(profile.get("active_org_id"), memberships)
    if membership is None:
        return claims
    place = {"org": membership.id, "role": membership.role, "mv": str(membership.version)}
    return claims | place | dict(membership.overrides)
