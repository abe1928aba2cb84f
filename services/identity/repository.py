"""A user's account: one partition with the profile and the memberships. An organization's API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import LimitReached
from chassis.storage.keys import Key, ListEntry
from chassis.tenants.api_keys import ApiKeys
from chassis.work.repository import MAX_PAGE, Listing, Repository
from chassis.work.scope import UserScope
from chassis.work.unit_of_work import UnitOfWork
from services.identity.account import ACCOUNT, MEMBERSHIP_ROW, PROFILE_ROW, chosen
from services.identity.model import LastUse, Membership, OwnedKey, Profile

MAX_ROWS = 1000
MAX_KEYS = 50
"""API keys that an organization may have at a time."""
REVOKED_KEPT = timedelta(days=400)
USE_KEPT = timedelta(days=400)
KEYS = Listing(index=1, name="API_KEYS")


class Profiles(Repository[Profile]):
    """The profile of the scope's user: there is one."""

    kind = "USER"
    model = Profile

    def key(self, id: str) -> Key:  # noqa: A002, ARG002
        return self.scope.key(ACCOUNT, sk=PROFILE_ROW)


class Memberships(Repository[Membership]):
    """Where the scope's user belongs, by organization."""

    kind = "MEMBERSHIP"
    model = Membership

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(ACCOUNT, sk=f"{MEMBERSHIP_ROW}{id}")


@dataclass(frozen=True)
class Account:
    """All of a user. `profile` is None before their registration is stored."""

    profile: Profile | None
    memberships: tuple[Membership, ...]

    @property
    def organizations(self) -> list[Membership]:
        return [each for each in self.memberships if each.active]

    @property
    def active(self) -> Membership | None:
        """What the user's next token will name."""
        return chosen(self.profile.active_org_id if self.profile else None, self.memberships)


async def read_account(scope: UserScope) -> Account:
    """Profile and memberships as of all acknowledged writes, in one read."""
    rows = await scope.table.query(scope.key(ACCOUNT).pk, limit=MAX_ROWS)
    profile = next((Profile.model_validate(row) for row in rows if row["SK"] == PROFILE_ROW), None)
    memberships = [Membership.model_validate(row) for row in rows if row["SK"].startswith(MEMBERSHIP_ROW)]
    return Account(profile, tuple(memberships))


class OwnedKeys(Repository[OwnedKey]):
    """The API keys of the scope's organization, where the guards of this service find them too."""

    kind = ApiKeys.kind
    model = OwnedKey

    def lists(self, aggregate: OwnedKey) -> Sequence[ListEntry]:
        return [KEYS.entry(self.scope, aggregate.id, aggregate.id)]

    def expires_at(self, aggregate: OwnedKey) -> int | None:
        return None if aggregate.active else int((self.scope.now() + REVOKED_KEPT).timestamp())

    def count(self, unit: UnitOfWork, change: int) -> None:
        """Let the organization have so many keys more, in `unit`, which raises LimitReached past MAX_KEYS."""
        error = LimitReached(f"An organization has at most {MAX_KEYS} API keys; revoke one that is not needed.")
        unit.add(self.scope.key("API_KEYS"), {"count": change}, at_most={"count": MAX_KEYS}, on_conflict=error)


class LastUses(Repository[LastUse]):
    """When the API keys of the scope's organization were last used, in one partition for the list's sake. Beside the
    keys, not in them: a use is no change that an administrator's change could come into conflict with."""

    kind = "API_KEY_USES"
    model = LastUse

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, sk=f"{id}#LAST")  # after `#`, as in the list: `key_1` sorts before `key_10`

    def expires_at(self, aggregate: LastUse) -> int | None:
        return int((aggregate.moment + USE_KEPT).timestamp())

    async def between(self, first: str, last: str) -> dict[str, datetime]:
        """The moments by key, from the first key of a page to its last."""
        rows = await self.scope.table.query(self.key(first).pk, after=first, before=f"{last}#~", limit=MAX_PAGE)
        return {use.id: use.moment for use in map(LastUse.model_validate, rows)}
