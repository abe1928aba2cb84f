"""Answers: invitations from the invited side. A token is only good for the person with the invited address; for anybody
else it is unknown."""

from chassis.errors import AlreadyExists, NotFound, OrganizationSuspended
from chassis.resilience.retry import retry_on_stale
from chassis.work.scope import OrgScope, UserScope
from contracts.common import Role
from services.tenancy.invitations.model import Acceptance, Invitation, InvitationStatus
from services.tenancy.invitations.repository import InvitationRepository, find_token
from services.tenancy.members.model import Membership
from services.tenancy.members.repository import MembershipRepository
from services.tenancy.organizations.repository import OrganizationRepository, SeatCounter

ACCEPT = "tenancy.invitation.accept"


async def accept(scope: UserScope, token: str) -> Acceptance:
    """Make the user a member. Accepting again changes nothing.

    Raises NotFound, InvitationExpired, InvitationClosed, AlreadyExists or OrganizationSuspended.
    """

    async def change() -> Acceptance:
        org_scope, invitation = await _invitation_of(scope, token)
        former = await MembershipRepository(org_scope).find(scope.user_id)
        inside = former is not None and former.active
        if inside and invitation.accepted_by == scope.user_id:
            return Acceptance(org_scope.org_id, invitation.role)
        accepted = invitation.accept(scope.user_id, scope.now())
        if inside:
            raise AlreadyExists("You are a member of this organization already.")
        return await _join(org_scope, accepted, scope.user_id, former)

    return await retry_on_stale(change)


async def decline(scope: UserScope, token: str) -> None:
    """Refuse the invitation; its seat is free again. Declining again changes nothing.

    Raises NotFound, InvitationExpired or InvitationClosed.
    """

    async def change() -> None:
        org_scope, invitation = await _invitation_of(scope, token)
        if invitation.status is InvitationStatus.DECLINED:
            return
        unit = org_scope.unit_of_work()
        saved = InvitationRepository(org_scope).close(unit, invitation.decline(scope.now()))
        SeatCounter(org_scope).release(unit)
        unit.publish(saved.declined_event(), version=saved.version)
        await unit.answer(None)

    await retry_on_stale(change)


async def _join(scope: OrgScope, accepted: Invitation, user_id: str, former: Membership | None) -> Acceptance:
    """Store the new member, who takes over the invitation's seat. `former` is a membership of theirs that ended."""
    unit, members, organizations = scope.unit_of_work(), MembershipRepository(scope), OrganizationRepository(scope)
    organization = await organizations.get(scope.org_id)
    if not organization.status.operates:
        raise OrganizationSuspended(ACCEPT, organization.status)
    saved = InvitationRepository(scope).close(unit, accepted)
    member = Membership(
        id=user_id,
        version=former.version if former else 0,
        email=scope.actor.email or accepted.email,
        name=scope.actor.name or "",
        role=accepted.role,
        org_id=scope.org_id,
    )
    joined = members.save(unit, member) if former else members.create(unit, member)
    members.reserve_address(unit, joined)
    if joined.role is Role.OWNER:
        organizations.save(unit, organization.with_owner(joined.id))
    else:
        organizations.require_status(unit, organization)
    unit.publish(saved.accepted_event(joined.id), version=saved.version)
    unit.publish(joined.added_event(), version=joined.version)
    return await unit.answer(Acceptance(scope.org_id, accepted.role))


async def _invitation_of(scope: UserScope, token: str) -> tuple[OrgScope, Invitation]:
    """The invitation that the token is for, in the scope of its organization. Raises NotFound if there is none, or if
    it is for another address than the user's."""
    ids = await find_token(scope, token)
    if ids is None:
        raise NotFound("invitation")
    org_id, invitation_id = ids
    # unscoped(made-scope): whoever holds the token may answer, if it was sent to their address: checked below
    org_scope = scope.for_org(org_id)
    invitation = await InvitationRepository(org_scope).get(invitation_id)
    if not invitation.is_for(scope.actor.email):
        raise NotFound("invitation")
    return org_scope, invitation
