"""Invitations: their state, the rules of addresses and answers, and their events. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.work.repository import Aggregate
from contracts.common import InvitationId, OrgId, Role, UserId
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import InvitationClosed, InvitationExpired
from services.tenancy.members.model import normalize_address

INVITATION_LASTS: Final = timedelta(days=14)
MAX_ADDRESS: Final = 254

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")


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
        """Its status by the clock, whether or not its expiry is already stored."""
        ended = self.status is InvitationStatus.PENDING and now >= self.valid_until
        return InvitationStatus.EXPIRED if ended else self.status

    def as_of(self, now: datetime) -> "Invitation":
        """The invitation with the status that it has by the clock."""
        return self.model_copy(update={"status": self.status_at(now)})

    def is_for(self, email: str | None) -> bool:
        return email is not None and normalize_address(self.email) == normalize_address(email)

    def accept(self, user_id: UserId, now: datetime) -> "Invitation":
        """Raises InvitationExpired or InvitationClosed if it cannot be answered any more."""
        self._check_not_expired(now)
        return self._end(InvitationStatus.ACCEPTED).model_copy(update={"accepted_by": user_id})

    def decline(self, now: datetime) -> "Invitation":
        """Raises InvitationExpired or InvitationClosed if it cannot be answered any more."""
        self._check_not_expired(now)
        return self._end(InvitationStatus.DECLINED)

    def revoke(self) -> "Invitation":
        """Raises InvitationClosed if it was answered."""
        return self._end(InvitationStatus.REVOKED)

    def expire(self) -> "Invitation":
        """Raises InvitationClosed if it was answered."""
        return self._end(InvitationStatus.EXPIRED)

    def _check_not_expired(self, now: datetime) -> None:
        if self.status_at(now) is InvitationStatus.EXPIRED:
            raise InvitationExpired("The invitation has expired; ask for a new one.")

    def _end(self, status: InvitationStatus) -> "Invitation":
        if self.status is not InvitationStatus.PENDING:
            raise InvitationClosed(f"The invitation is {self.status} already.")
        return self.model_copy(update={"status": status})

    def created_event(self, *, token: str, org_name: str, inviter_name: str) -> tenancy.InvitationCreated:
        return tenancy.InvitationCreated(
            invitation_id=self.id,
            email=self.email,
            role=self.role,
            org_name=org_name,
            inviter_id=self.inviter_id,
            inviter_name=inviter_name,
            token=token,
            expires_at=self.valid_until,
        )

    def accepted_event(self, user_id: UserId) -> tenancy.InvitationAccepted:
        return tenancy.InvitationAccepted(invitation_id=self.id, email=self.email, user_id=user_id)

    def declined_event(self) -> tenancy.InvitationDeclined:
        return tenancy.InvitationDeclined(invitation_id=self.id, email=self.email)

    def revoked_event(self) -> tenancy.InvitationRevoked:
        return tenancy.InvitationRevoked(invitation_id=self.id, email=self.email)


@dataclass(frozen=True)
class Acceptance:
    """The membership that somebody has by an invitation."""

    org_id: OrgId
    role: Role


@dataclass(frozen=True)
class Row:
    """One person of a list to invite, as somebody wrote it down; either text can be wrong."""

    email: str
    role: str


@dataclass(frozen=True)
class RowOutcome:
    """The outcome of one row, counted from 1: an invitation, or the reason of its refusal."""

    row: int
    email: str
    invitation_id: InvitationId | None = None
    reason: str | None = None


def parse_address(text: str) -> str | None:
    """The e-mail address in `text`, without the space around it; None if mail cannot be sent to it."""
    address = text.strip()
    return address if len(address) <= MAX_ADDRESS and _ADDRESS.fullmatch(address) else None
