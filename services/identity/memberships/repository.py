"""Memberships: rows in the partition of their user's account."""

from chassis.storage.keys import Key
from chassis.work.repository import Repository
from services.identity.memberships.claims import ACCOUNT, MEMBERSHIP_ROW
from services.identity.memberships.model import Membership


class MembershipRepository(Repository[Membership]):
    """The memberships of the scope's user, by organization."""

    kind = "MEMBERSHIP"
    model = Membership

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(ACCOUNT, sk=f"{MEMBERSHIP_ROW}{id}")
