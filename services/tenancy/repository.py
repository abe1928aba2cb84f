"""The access patterns of tenancy's table.

Beside the three aggregates stand items that exist to be in the way of a second one: a slug, a pending invitation of an
address, a member of an address. They are written and removed in the transaction of what they stand for.
"""

from hashlib import sha256

from chassis.errors import AlreadyExists, LimitReached, Stale, TenfoldError
from chassis.storage.keys import Key, ListEntry, token_key, unique_key
from chassis.storage.table import Absent
from chassis.tenants.members import MEMBERS, Members
from chassis.tenants.organizations import OrganizationProfiles
from chassis.work.repository import Listing, Repository
from chassis.work.scope import OrgScope, Scope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Plan
from services.tenancy.errors import InvitationPending, SlugTaken
from services.tenancy.model import (
    MAX_CREDENTIALS,
    SEATS,
    Credential,
    Invitation,
    InvitationStatus,
    Membership,
    Organization,
    folded,
)

ORGANIZATIONS_OF_USER = Listing(index=2, name="ORGS")
INVITATIONS = Listing(index=1, name="INVITATIONS", shards=2)
CREDENTIALS = Listing(index=1, name="CREDENTIALS")
PENDING = Listing(index=2, name="PENDING", shards=2)


class Organizations(Repository[Organization]):
    """The scope's organization. The row has the key of `chassis.tenants.organizations.OrganizationProfiles`."""

    kind = OrganizationProfiles.kind
    model = Organization

    def take_slug(self, unit: UnitOfWork, organization: Organization) -> None:
        """Raises SlugTaken at commit if another organization has it."""
        taken = SlugTaken(f"The slug {organization.slug} is taken.")
        unit.put(unique_key("slug", organization.slug), {"org_id": organization.id}, expect=Absent(), on_conflict=taken)

    def require_plan(self, unit: UnitOfWork, org_id: str, plan: Plan) -> None:
        """Raises Stale at commit if the plan, which the limits were read from, is another by then."""
        unit.require(
            self.key(org_id), {"plan": plan.value}, on_conflict=Stale("The plan was changed meanwhile; repeat.")
        )

    def require_status(self, unit: UnitOfWork, organization: Organization) -> None:
        """Raises Stale at commit if its status is another by then."""
        unit.require(
            self.key(organization.id),
            {"status": organization.status.value},
            on_conflict=Stale("The organization was changed meanwhile; repeat."),
        )


class Memberships(Repository[Membership]):
    """The members of the scope's organization; with a user's scope, that user's memberships. The rows have the key
    of `chassis.tenants.members.Members`, by which the guards find them."""

    kind = Members.kind
    model = Membership

    def lists(self, aggregate: Membership) -> list[ListEntry]:
        """Who left stands in no list."""
        if not aggregate.active:
            return []
        return [
            MEMBERS.entry(self.scope, aggregate.id, aggregate.email),
            # unscoped(made-scope): the member's own list of organizations, which only they read
            ORGANIZATIONS_OF_USER.entry(self.scope.for_user(aggregate.id), aggregate.org_id, ""),
        ]

    async def active(self, user_id: str) -> Membership | None:
        member = await self.find(user_id)
        return member if member and member.active else None

    def hold_address(self, unit: UnitOfWork, member: Membership) -> None:
        """While they are in, nobody invites their address."""
        unit.put(self._address(member.email), {"user_id": member.id}, expect=Absent(), on_conflict=_a_member())

    def free_address(self, unit: UnitOfWork, member: Membership) -> None:
        unit.delete(self._address(member.email))

    def require_no_member(self, unit: UnitOfWork, email: str) -> None:
        """Raises AlreadyExists at commit if a member has this address."""
        # The deletion of nothing: the one conditional write that holds only while the item is absent and writes none.
        unit.delete(self._address(email), expect=Absent(), on_conflict=_a_member())

    def _address(self, email: str) -> Key:
        return self.scope.key("ADDRESS", _digest(folded(email)))


class Invitations(Repository[Invitation]):
    """The invitations of the scope's organization."""

    kind = "INVITATION"
    model = Invitation

    def lists(self, aggregate: Invitation) -> list[ListEntry]:
        entries = [INVITATIONS.entry(self.scope, aggregate.id, aggregate.created_at.isoformat())]
        if aggregate.status is InvitationStatus.PENDING:
            entries.append(PENDING.entry(self.scope, aggregate.id, aggregate.valid_until.isoformat()))
        return entries

    def open(self, unit: UnitOfWork, invitation: Invitation, token: str) -> Invitation:
        """Store a new one with its token, of which only the hash is kept. Raises InvitationPending at commit if the
        address has one already."""
        pending = InvitationPending("This address has a pending invitation already.")
        key = self._pending(invitation.email)
        unit.put(key, {"invitation_id": invitation.id}, expect=Absent(), on_conflict=pending)
        unit.put(
            token_key(_digest(token)),
            {"org_id": self.scope.event_org, "invitation_id": invitation.id},
            expect=Absent(),
            expires_at=int(invitation.valid_until.timestamp()),
        )
        return self.create(unit, invitation)

    def close(self, unit: UnitOfWork, invitation: Invitation) -> Invitation:
        """Store its end. The address may be invited again."""
        # Belongs to this invitation: it came with it, and goes with the one change from pending to anything else.
        unit.delete(self._pending(invitation.email))
        return self.save(unit, invitation)

    async def pending_of(self, email: str) -> Invitation | None:
        """The invitation that stands in the way of another one to this address; it may have expired."""
        item = await self.scope.table.get(self._pending(email))
        return None if item is None else await self.find(item["invitation_id"])

    async def first_to_expire(self, limit: int) -> list[Invitation]:
        """Pending ones, by the time at which they expire, whether or not it has come."""
        items, _ = await PENDING.part(self.scope, limit=limit)
        return [self.model.model_validate(item) for item in items]

    def _pending(self, email: str) -> Key:
        return self.scope.key("PENDING", _digest(folded(email)))


class Credentials(Repository[Credential]):
    """The credentials of the scope's organization. A counter holds how many there are."""

    kind = "CREDENTIAL"
    model = Credential

    def lists(self, aggregate: Credential) -> list[ListEntry]:
        return [CREDENTIALS.entry(self.scope, aggregate.id, "")]

    def take_place(self, unit: UnitOfWork) -> None:
        """Raises LimitReached at commit if the organization has MAX_CREDENTIALS."""
        full = LimitReached(f"An organization has at most {MAX_CREDENTIALS} credentials.")
        unit.add(self._count(), {"credentials": 1}, at_most={"credentials": MAX_CREDENTIALS}, on_conflict=full)

    def free_place(self, unit: UnitOfWork) -> None:
        unit.add(self._count(), {"credentials": -1})

    def _count(self) -> Key:
        return self.scope.key("USAGE", "CREDENTIALS")


class Seats:
    """How many seats of the scope's organization are taken: a counter, changed with what takes and frees them."""

    def __init__(self, scope: OrgScope) -> None:
        self._key = scope.key("USAGE")

    def take(self, unit: UnitOfWork, plan: Plan) -> None:
        """Raises LimitReached at commit if the plan has none left."""
        unit.add(self._key, {"seats": 1}, at_most={"seats": SEATS[plan]}, on_conflict=_full(plan))

    def free(self, unit: UnitOfWork) -> None:
        unit.add(self._key, {"seats": -1})

    def fit(self, unit: UnitOfWork, plan: Plan) -> None:
        """Raises LimitReached at commit if more are taken than `plan` has."""
        more = f"More seats are taken than the {SEATS[plan]} of the plan {plan}; remove members or invitations first."
        unit.add(self._key, {"seats": 0}, at_most={"seats": SEATS[plan]}, on_conflict=LimitReached(more))


async def find_token(scope: Scope, token: str) -> tuple[str, str] | None:
    """The organization and the invitation that an invitation's token stands for."""
    item = await scope.table.get(token_key(_digest(token)))
    return None if item is None else (item["org_id"], item["invitation_id"])


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _a_member() -> TenfoldError:
    return AlreadyExists("This address belongs to a member already.")


def _full(plan: Plan) -> TenfoldError:
    return LimitReached(f"All {SEATS[plan]} seats of the plan {plan} are taken.")
