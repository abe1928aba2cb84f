"""Request bodies and views of members."""

from typing import Annotated, Self

from pydantic import Field

from chassis.http.patches import MergePatch
from chassis.http.schemas import RequestBody, Trimmed, View
from contracts.common import MAX_OVERRIDES, OrgId, OrgStatus, PermissionName, Plan, Role, UserId
from services.tenancy.members.model import Membership, UserOrganization


class MemberChange(MergePatch):
    role: Role = Role.VIEWER


class NewPermissions(RequestBody):
    grants: list[Annotated[PermissionName, Trimmed]] = Field(max_length=MAX_OVERRIDES)
    denies: list[Annotated[PermissionName, Trimmed]] = Field(max_length=MAX_OVERRIDES)


class MemberView(View):
    user_id: UserId
    email: str
    name: str
    role: Role
    grants: list[str]
    denies: list[str]
    version: int

    @classmethod
    def of(cls, member: Membership) -> Self:
        return cls(
            user_id=member.id,
            email=member.email,
            name=member.name,
            role=member.role,
            grants=list(member.grants),
            denies=list(member.denies),
            version=member.version,
        )


class MyOrganization(View):
    """One of the caller's organizations, and their role in it."""

    id: OrgId
    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    role: Role

    @classmethod
    def of(cls, mine: UserOrganization) -> Self:
        organization = mine.organization
        return cls(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            plan=organization.plan,
            status=organization.status,
            role=mine.role,
        )
