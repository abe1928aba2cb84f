"""A user's account: one partition with the profile and the memberships."""

from dataclasses import dataclass

from chassis.context import UserScope
from chassis.keys import Key
from chassis.repository import Repository
from chassis.table import OlderThan
from chassis.unit import Unit
from services.identity.account import ACCOUNT, MEMBERSHIP_ROW, PROFILE_ROW, chosen
from services.identity.model import Membership, Profile

MAX_ROWS = 1000


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

    def keep(self, unit: Unit, membership: Membership) -> None:
        """Store it, in `unit`, which raises AlreadyHandled at its commit if a newer state is known."""
        unit.put(self.key(membership.id), membership, expect=OlderThan(membership.version))


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
