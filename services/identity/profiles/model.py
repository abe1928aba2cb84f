"""A user's profile, with the events that it makes, and all that is stored of a user's account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from chassis.work.repository import Aggregate
from contracts.common import OrgId
from contracts.identity.v1 import ActiveOrgSwitched, UserRegistered, UserSignedIn
from services.identity.memberships.claims import choose_membership
from services.identity.memberships.model import Membership

Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*$"
    ),
]
"""In lower case: addresses that differ in case only are the same. Whether it exists, only the code sent to it shows."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Profile(Aggregate):
    """A registered user; `id` is the user's. They may have left the organization `active_org_id`, which they switched
    to."""

    email: str
    name: str
    registered_at: datetime
    active_org_id: OrgId | None = None
    confirmed_with: str | None = None
    """The `accounts.model.code_digest` of the code that confirmed the address: it recognizes a repeated
    confirmation."""

    def registered_event(self, *, invited: bool) -> UserRegistered:
        return UserRegistered(user_id=self.id, email=self.email, name=self.name, invited=invited)

    def signed_in_event(self) -> UserSignedIn:
        return UserSignedIn(user_id=self.id)

    def switched_event(self, org_id: OrgId, previous_org_id: OrgId | None) -> ActiveOrgSwitched:
        return ActiveOrgSwitched(user_id=self.id, previous_org_id=previous_org_id, org_id=org_id)


@dataclass(frozen=True)
class UserAccount:
    """Everything that is stored of a registered user."""

    profile: Profile
    memberships: tuple[Membership, ...]

    @property
    def organizations(self) -> list[Membership]:
        """The active memberships."""
        return [each for each in self.memberships if each.active]

    @property
    def active(self) -> Membership | None:
        """The membership that the user's next token will name."""
        return choose_membership(self.profile.active_org_id, self.memberships)
