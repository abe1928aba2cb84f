"""Invitations from the invited side. A token is only good for the person with the invited address; for anybody else it
is unknown."""

from chassis.errors import AlreadyExists, NotFound, OrganizationSuspended
from chassis.work.scope import OrgScope, UserScope
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.model import Invitation, InvitationStatus, Membership
from services.tenancy.repository import Invitations, Memberships, Organizations, Seats, find_token
from services.tenancy.usecases.trying import again_if_stale

ACCEPT = "tenancy.invitation.accept"


async def accept(scope: UserScope, token: str) -> tuple[str, Invitation]:
    """The organization that the user is a member of now, and the invitation. Accepting again changes nothing.

    Raises NotFound, InvitationExpired, InvitationClosed or OrganizationSuspended.
    """

    async def change() -> tuple[str, Invitation]:
        org_scope, invitation = await _mine(scope, token)
        known = await Memberships(org_scope).find(scope.user_id)
        inside = known is not None and known.active
        if inside and invitation.accepted_by == scope.user_id:
            return org_scope.org_id, invitation
        accepted = invitation.answered(InvitationStatus.ACCEPTED, scope.now(), accepted_by=scope.user_id)
        if inside:
            raise AlreadyExists("You are a member of this organization already.")
        await _join(org_scope, accepted, known)
        return org_scope.org_id, accepted

    return await again_if_stale(change)


async def decline(scope: UserScope, token: str) -> None:
    """The seat is free again. Declining again changes nothing.

    Raises NotFound, InvitationExpired or InvitationClosed.
    """

    async def change() -> None:
        org_scope, invitation = await _mine(scope, token)
        if invitation.status is InvitationStatus.DECLINED:
            return
        unit = org_scope.unit_of_work()
        saved = Invitations(org_scope).close(unit, invitation.answered(InvitationStatus.DECLINED, scope.now()))
        Seats(org_scope).free(unit)
        declined = tenancy.InvitationDeclined(invitation_id=saved.id, email=saved.email)
        unit.publish(declined, version=saved.version)
        await unit.answer(None)

    await again_if_stale(change)


async def _join(scope: OrgScope, accepted: Invitation, known: Membership | None) -> None:
    """The seat stays taken: the invitation's becomes the member's. `known` is their membership of former times."""
    assert accepted.accepted_by is not None
    unit, members, organizations = scope.unit_of_work(), Memberships(scope), Organizations(scope)
    organization = await organizations.get(scope.org_id)
    if not organization.status.operates:
        raise OrganizationSuspended(ACCEPT, organization.status)
    saved = Invitations(scope).close(unit, accepted)
    member = Membership(
        id=accepted.accepted_by,
        version=known.version if known else 0,
        email=scope.actor.email or accepted.email,
        name=scope.actor.name or "",
        role=accepted.role,
        org_id=scope.org_id,
    )
    joined = members.save(unit, member) if known else members.create(unit, member)
    members.hold_address(unit, joined)
    if joined.role is Role.OWNER:
        organizations.save(unit, organization.with_owner(joined.id))
    else:
        organizations.require_status(unit, organization)
    unit.publish(
        tenancy.InvitationAccepted(invitation_id=saved.id, email=saved.email, user_id=joined.id), version=saved.version
    )
    unit.publish(tenancy.MemberAdded(**joined.told()), version=joined.version)
    await unit.answer((scope.org_id, accepted))


async def _mine(scope: UserScope, token: str) -> tuple[OrgScope, Invitation]:
    found = await find_token(scope, token)
    if found is None:
        raise NotFound("invitation")
    org_id, invitation_id = found
    # unscoped(made-scope): whoever holds the token may answer, if it was sent to their address: checked below
    org_scope = scope.for_org(org_id)
    invitation = await Invitations(org_scope).get(invitation_id)
    if not invitation.is_for(scope.actor.email):
        raise NotFound("invitation")
    return org_scope, invitation
