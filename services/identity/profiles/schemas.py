"""The view of a user's own account."""

from typing import Self

from chassis.http.schemas import View
from contracts.common import OrgId, Role, UserId
from services.identity.memberships.model import Membership
from services.identity.profiles.model import UserAccount


class OrganizationOfMine(View):
    org_id: OrgId
    role: Role

    @classmethod
    def of(cls, membership: Membership) -> Self:
        return cls(org_id=membership.id, role=membership.role)


class Me(View):
    user_id: UserId
    email: str
    name: str
    active_org_id: OrgId | None
    """The organization that the next token will name."""
    organizations: list[OrganizationOfMine]

    @classmethod
    def of(cls, account: UserAccount) -> Self:
        profile, active = account.profile, account.active
        return cls(
            user_id=profile.id,
            email=profile.email,
            name=profile.name,
            active_org_id=active.id if active else None,
            organizations=[OrganizationOfMine.of(each) for each in account.organizations],
        )
