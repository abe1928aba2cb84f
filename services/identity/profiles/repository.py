"""A user's account: one partition with the profile and the memberships."""

from chassis.storage.keys import Key
from chassis.storage.table import Range
from chassis.work.repository import Repository
from chassis.work.scope import UserScope
from services.identity.memberships.claims import ACCOUNT, MEMBERSHIP_ROW, PROFILE_ROW
from services.identity.memberships.model import Membership
from services.identity.profiles.model import Profile, UserAccount

MAX_ROWS = 1000


class ProfileRepository(Repository[Profile]):
    """The profile of the scope's user: there is one."""

    kind = "USER"
    model = Profile

    def key(self, id: str) -> Key:  # noqa: A002, ARG002
        return self.scope.key(ACCOUNT, sk=PROFILE_ROW)


async def find_account(scope: UserScope) -> UserAccount | None:
    """Profile and memberships as of all acknowledged writes, in one read. None before the registration is stored."""
    rows = await scope.table.query(scope.key(ACCOUNT).pk, Range(limit=MAX_ROWS))
    profile = next((Profile.model_validate(row) for row in rows if row["SK"] == PROFILE_ROW), None)
    if profile is None:
        return None
    memberships = [Membership.model_validate(row) for row in rows if row["SK"].startswith(MEMBERSHIP_ROW)]
    return UserAccount(profile, tuple(memberships))
