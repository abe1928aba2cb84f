"""Access patterns of memberships, and the items that keep a member's address from being invited."""

from hashlib import sha256

from chassis.errors import AlreadyExists, NotFound
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import Absent
from chassis.tenants.members import MEMBERS, MemberRepository
from chassis.work.repository import Listing, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tenancy.members.model import Membership, normalize_address

ORGANIZATIONS_OF_USER = Listing(index=2, name="ORGS")


class MembershipRepository(Repository[Membership]):
    """The members of the scope's organization; with a user's scope, that user's memberships. The rows have the key
    of `chassis.tenants.members.MemberRepository`, by which the guards read them."""

    kind = MemberRepository.kind
    model = Membership

    def lists(self, aggregate: Membership) -> list[ListEntry]:
        """Former members are in no list."""
        if not aggregate.active:
            return []
        return [
            MEMBERS.entry(self.scope, aggregate.id, aggregate.email),
            # unscoped(made-scope): the member's own list of organizations, which only they read
            ORGANIZATIONS_OF_USER.entry(self.scope.for_user(aggregate.id), aggregate.org_id, ""),
        ]

    async def get_active(self, user_id: str) -> Membership:
        """The member. Raises NotFound, for former members, too."""
        member = await self.find(user_id)
        if member is None or not member.active:
            raise NotFound("member")
        return member

    def reserve_address(self, unit: UnitOfWork, member: Membership) -> None:
        """Keep the member's address from being invited while they are in. Raises AlreadyExists at commit if another
        member has it."""
        unit.put(self._address_key(member.email), {"user_id": member.id}, expect=Absent(), on_conflict=_a_member())

    def release_address(self, unit: UnitOfWork, member: Membership) -> None:
        unit.delete(self._address_key(member.email))

    def require_no_member(self, unit: UnitOfWork, email: str) -> None:
        """Raises AlreadyExists at commit if a member has this address."""
        # A delete of what is absent: the only conditional write that needs the item to be absent and makes none.
        unit.delete(self._address_key(email), expect=Absent(), on_conflict=_a_member())

    def _address_key(self, email: str) -> Key:
        return self.scope.key("ADDRESS", sha256(normalize_address(email).encode()).hexdigest())


def _a_member() -> AlreadyExists:
    return AlreadyExists("This address belongs to a member already.")
