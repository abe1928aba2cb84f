"""Routes of members, and of the organizations that the caller is a member of."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.guard import SignedIn
from chassis.http.route import Route
from chassis.http.schemas import Paged
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import UserId
from services.tenancy.members import usecases
from services.tenancy.members.schemas import MemberChange, MemberView, MyOrganization, NewPermissions
from services.tenancy.permissions import guard

router = APIRouter(prefix="/v1", tags=["tenancy"], route_class=Route)


@router.get("/organizations")
async def list_organizations(scope: SignedIn, page: Paged) -> Page[MyOrganization]:
    """The caller's organizations, with their role in each."""
    return (await usecases.list_organizations_of_user(scope, page)).map(MyOrganization.of)


@router.get("/organizations/{org_id}/members")
async def list_members(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.member.list"))], page: Paged
) -> Page[MemberView]:
    """List the present members of the organization."""
    return (await usecases.list_members(scope, page)).map(MemberView.of)


@router.patch("/organizations/{org_id}/members/{user_id}")
async def change_role(
    scope: Annotated[OrgScope, Depends(guard.in_path(usecases.CHANGE_ROLE))], user_id: UserId, body: MemberChange
) -> MemberView:
    """Change the member's role, to at most your own. 409 if no owner would be left."""
    return MemberView.of(await usecases.change_role(scope, user_id, body.changes().get("role")))


@router.put("/organizations/{org_id}/members/{user_id}/permissions")
async def change_permissions(
    scope: Annotated[OrgScope, Depends(guard.in_path(usecases.CHANGE_PERMISSIONS))],
    user_id: UserId,
    body: NewPermissions,
) -> MemberView:
    """Replace the member's permission overrides: what is granted and what is denied, whatever the role."""
    return MemberView.of(await usecases.change_permissions(scope, user_id, body.grants, body.denies))


@router.delete("/organizations/{org_id}/members/{user_id}", status_code=204)
async def remove_member(
    scope: Annotated[OrgScope, Depends(guard.in_path("tenancy.member.leave", sometimes=[usecases.REMOVE]))],
    user_id: UserId,
) -> None:
    """Remove a member (as an admin), or leave the organization yourself. 409 if no owner would be left."""
    await usecases.remove(scope, user_id)
