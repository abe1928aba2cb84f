"""Access patterns of invitations. Two items go with each: one leads from its token to it, and one keeps its address
from being invited again while it is pending."""

from hashlib import sha256

from chassis.storage.keys import Key, ListEntry, token_key
from chassis.storage.table import Absent
from chassis.work.repository import Listing, Repository
from chassis.work.scope import Scope
from chassis.work.unit_of_work import UnitOfWork
from services.tenancy.errors import InvitationPending
from services.tenancy.invitations.model import Invitation, InvitationStatus
from services.tenancy.members.model import normalize_address

INVITATIONS = Listing(index=1, name="INVITATIONS", shards=2)
PENDING = Listing(index=2, name="PENDING", shards=2)


class InvitationRepository(Repository[Invitation]):
    """The invitations of the scope's organization."""

    kind = "INVITATION"
    model = Invitation

    def lists(self, aggregate: Invitation) -> list[ListEntry]:
        entries = [INVITATIONS.entry(self.scope, aggregate.id, aggregate.created_at.isoformat())]
        if aggregate.status is InvitationStatus.PENDING:
            entries.append(PENDING.entry(self.scope, aggregate.id, aggregate.valid_until.isoformat()))
        return entries

    def open(self, unit: UnitOfWork, invitation: Invitation, token: str) -> Invitation:
        """Store a new invitation and its token, of which only the hash is stored. Raises InvitationPending at commit
        if the address has one already."""
        pending = InvitationPending("This address has a pending invitation already.")
        key = self._pending_key(invitation.email)
        unit.put(key, {"invitation_id": invitation.id}, expect=Absent(), on_conflict=pending)
        unit.put(
            _token_key(token),
            {"org_id": self.scope.event_org, "invitation_id": invitation.id},
            expect=Absent(),
            expires_at=int(invitation.valid_until.timestamp()),
        )
        return self.create(unit, invitation)

    def close(self, unit: UnitOfWork, invitation: Invitation) -> Invitation:
        """Store the end of an invitation. Its address may be invited again."""
        # The item is this invitation's: it was written with it, and is deleted by the only change that ends it.
        unit.delete(self._pending_key(invitation.email))
        return self.save(unit, invitation)

    async def pending_of(self, email: str) -> Invitation | None:
        """The invitation that keeps this address from being invited; it may have expired."""
        item = await self.scope.table.get(self._pending_key(email))
        return None if item is None else await self.find(item["invitation_id"])

    async def first_to_expire(self, limit: int) -> list[Invitation]:
        """Pending invitations by the time of their expiry, past or future."""
        items, _ = await PENDING.part(self.scope, limit=limit)
        return [self.model.model_validate(item) for item in items]

    def _pending_key(self, email: str) -> Key:
        return self.scope.key("PENDING", sha256(normalize_address(email).encode()).hexdigest())


async def find_token(scope: Scope, token: str) -> tuple[str, str] | None:
    """The organization and the invitation that an invitation's token is for."""
    item = await scope.table.get(_token_key(token))
    return None if item is None else (item["org_id"], item["invitation_id"])


def _token_key(token: str) -> Key:
    return token_key(sha256(token.encode()).hexdigest())
