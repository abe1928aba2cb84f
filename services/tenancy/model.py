"""Organizations, memberships and invitations: their state, and the rules of seats, roles and addresses. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel

from chassis.tenants.members import Member
from chassis.tenants.organizations import OrganizationProfile
from chassis.work.repository import Aggregate
from contracts.common import CredentialName, InvitationId, OrgId, OrgStatus, Plan, Role, UserId
from contracts.tenancy.v1 import OrganizationState
from services.tenancy.errors import InvitationClosed, InvitationExpired, LastOwner, RoleTooHigh, TooManyOwners

SEATS: Final[Mapping[Plan, int]] = {
    Plan.FREE: 3,
    Plan.STARTER: 50,
    Plan.PROFESSIONAL: 500,
    Plan.ENTERPRISE: 10_000,
}
"""How many people a plan allows: members and pending invitations together."""

MAX_OWNERS: Final = 20
MAX_CREDENTIALS: Final = 100
INVITATION_LASTS: Final = timedelta(days=14)
MAX_ADDRESS: Final = 254

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")


class Organization(OrganizationProfile):
    """A tenant. `owners` are the members with the role owner, and there is always one: whoever changes who they are
    changes this row in the same transaction, so that two owners cannot leave at once."""

    personal: bool = False
    status_reason: str | None = None
    """Why the staff gave it the status that it has."""
    owners: tuple[UserId, ...]
    created_at: datetime

    @property
    def owner_id(self) -> UserId:
        """The first of its owners."""
        return self.owners[0]

    @property
    def seats(self) -> int:
        return SEATS[self.plan]

    @property
    def state(self) -> OrganizationState:
        """What the events tell all others."""
        return OrganizationState(
            slug=self.slug,
            name=self.name,
            plan=self.plan,
            status=self.status,
            allowed_origins=list(self.allowed_origins),
        )

    def with_owner(self, user_id: UserId) -> "Organization":
        """Raises TooManyOwners."""
        if len(self.owners) >= MAX_OWNERS:
            raise TooManyOwners(f"An organization has at most {MAX_OWNERS} owners.")
        return self.model_copy(update={"owners": (*self.owners, user_id)})

    def without_owner(self, user_id: UserId) -> "Organization":
        """Raises LastOwner if nobody would be left."""
        others = tuple(owner for owner in self.owners if owner != user_id)
        if not others:
            raise LastOwner("An organization needs an owner: make somebody else one first.")
        return self.model_copy(update={"owners": others})


class Membership(Member):
    """A user's place in an organization. `version` counts up for as long as that user comes and goes."""

    org_id: OrgId

    def told(self) -> dict[str, Any]:
        """What every event of it says."""
        return {"user_id": self.id, **self.model_dump(include={"email", "name", "role", "grants", "denies"})}

    def with_role(self, role: Role) -> "Membership":
        """An owner may everything, and nobody may take any of it from them while they are one."""
        overrides = {"grants": (), "denies": ()} if role is Role.OWNER else {}
        return self.model_copy(update={"role": role, **overrides})


class InvitationStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Invitation(Aggregate):
    """An offer of membership to an address. It is answered at most once, and takes a seat until then."""

    id: InvitationId
    email: str
    role: Role
    status: InvitationStatus = InvitationStatus.PENDING
    inviter_id: UserId
    created_at: datetime
    valid_until: datetime
    accepted_by: UserId | None = None

    def status_at(self, now: datetime) -> InvitationStatus:
        """What it is by the clock, whether or not its end was already written down."""
        ended = self.status is InvitationStatus.PENDING and now >= self.valid_until
        return InvitationStatus.EXPIRED if ended else self.status

    def as_of(self, now: datetime) -> "Invitation":
        """It, with the status that it has by the clock."""
        return self.model_copy(update={"status": self.status_at(now)})

    def is_for(self, email: str | None) -> bool:
        return email is not None and same_address(self.email, email)

    def answered(self, status: InvitationStatus, now: datetime, *, accepted_by: UserId | None = None) -> "Invitation":
        """Raises InvitationExpired or InvitationClosed if it cannot be answered any more."""
        if self.status_at(now) is InvitationStatus.EXPIRED:
            raise InvitationExpired("The invitation has expired; ask for a new one.")
        return self._ended(status, accepted_by)

    def revoked(self) -> "Invitation":
        """Raises InvitationClosed if it was answered."""
        return self._ended(InvitationStatus.REVOKED)

    def expired(self) -> "Invitation":
        """Raises InvitationClosed if it was answered."""
        return self._ended(InvitationStatus.EXPIRED)

    def _ended(self, status: InvitationStatus, accepted_by: UserId | None = None) -> "Invitation":
        if self.status is not InvitationStatus.PENDING:
            raise InvitationClosed(f"The invitation is {self.status} already.")
        return self.model_copy(update={"status": status, "accepted_by": accepted_by})


class Credential(Aggregate):
    """What an organization entrusts us with, to speak for it at another platform; `id` is the name that it chose.
    Of the secret only the vault's sealed text is kept."""

    id: CredentialName
    platform: str
    sealed: str
    stored_by: UserId
    stored_at: datetime


class MyOrganization(BaseModel):
    """One of a user's organizations, and their place in it."""

    id: OrgId
    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    role: Role


def check_gives(giver: Role | None, role: Role, operation: str) -> None:
    """Nobody gives a role above their own. Raises RoleTooHigh."""
    if giver is None or not giver.covers(role):
        raise RoleTooHigh(operation, f"You cannot give the role {role}, which is above your own.")


def check_changes(actor: Role | None, target: Role, operation: str) -> None:
    """Nobody changes or removes a member above themselves. Raises RoleTooHigh."""
    if actor is None or not actor.covers(target):
        raise RoleTooHigh(operation, f"You cannot change a member with the role {target}, which is above your own.")


def address(text: str) -> str | None:
    """The e-mail address in `text`, without the space around it; None if it is none that mail can be sent to."""
    found = text.strip()
    return found if len(found) <= MAX_ADDRESS and _ADDRESS.fullmatch(found) else None


def same_address(one: str, other: str) -> bool:
    return folded(one) == folded(other)


def folded(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().lower()


def personal_org_id(user_id: UserId) -> OrgId:
    """The same for the same user, always: whoever makes it again finds the first one."""
    return f"org_{_hash(f'personal organization of {user_id}')[:32]}"


def personal_slugs(user_id: UserId, name: str) -> tuple[str, str]:
    """A slug for a user's personal organization, and another in case somebody has taken it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain)[:24].strip("-") or "space"
    digest = _hash(f"slug of {user_id}")
    return f"{readable}-{digest[:8]}", f"space-{digest[:32]}"


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
