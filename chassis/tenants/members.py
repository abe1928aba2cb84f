"""Each service's projection of an organization's members: their names, their roles, and whether they still belong.

The same queue brings the organization's own state (`chassis.tenants.organizations`) and its API keys
(`chassis.tenants.api_keys`), which are as good as the members who hold them.

A service adds it by naming `chassis.tenants.members:subscription` among its subscriptions. In the tenancy service the
same rows are not a projection but the truth; they have the same key and the same fields."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic import BaseModel

from chassis.declare.subscription import Subscription
from chassis.errors import Rejected
from chassis.storage.keys import ListEntry
from chassis.tenants import api_keys
from chassis.tenants.organizations import OrganizationProfile, OrganizationProfileRepository, follow
from chassis.work.repository import Aggregate, Listing, Repository
from chassis.work.scope import EventContext, OrgScope, Scope
from contracts.common import Role, UserId
from contracts.reads import Reads
from contracts.tenancy import v1 as tenancy

MEMBERS = Listing(index=1, name="MEMBERS", shards=2)


class Member(Aggregate):
    """A user's membership in an organization; `id` is the user's id. A former member is kept, with `active` false."""

    id: UserId
    email: str
    name: str
    role: Role
    active: bool = True
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    """Permissions granted to, or denied to, the member whatever the role says."""


class MemberRepository(Repository[Member]):
    """The members of the scope's organization."""

    kind = "MEMBER"
    model = Member

    def lists(self, aggregate: Member) -> list[ListEntry]:
        return [MEMBERS.entry(self.scope, aggregate.id, aggregate.email)]

    async def active(self, user_id: str) -> Member | None:
        member = await self.find(user_id)
        return member if member and member.active else None

    async def all_active(self) -> AsyncIterator[Member]:
        async for member in self.walk(MEMBERS):
            if member.active:
                yield member


@dataclass(frozen=True)
class MembershipState:
    """A user's membership and the organization, as far as this service has been told."""

    member: Member | None
    organization: OrganizationProfile | None


async def membership_state_of(scope: OrgScope, user_id: str) -> MembershipState:
    """Both in one round trip, from this service's own projections."""
    member_key, organization_key = (
        MemberRepository(scope).key(user_id),
        OrganizationProfileRepository(scope).key(scope.org_id),
    )
    member, organization = await scope.table.get_all([member_key, organization_key])
    return MembershipState(
        None if member is None else Member.model_validate(member),
        None if organization is None else OrganizationProfile.model_validate(organization),
    )


async def project(scope: Scope, member: Member) -> None:
    """Store `member` unless a newer state of that membership is stored."""
    await MemberRepository(scope).project(member)


class _Membership(BaseModel):
    """The fields of a membership, which each of its events carries whole."""

    user_id: UserId
    email: str
    name: str
    role: Role
    grants: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


class Added(_Membership, Reads[tenancy.MemberAdded]):
    """A membership began."""


class RoleChanged(_Membership, Reads[tenancy.MemberRoleChanged]):
    """A membership has another role."""


class PermissionsChanged(_Membership, Reads[tenancy.MemberPermissionsChanged]):
    """A membership has other overrides."""


class Removed(_Membership, Reads[tenancy.MemberRemoved]):
    """A membership ended."""


MembershipEvent = Added | RoleChanged | PermissionsChanged | Removed

subscription = Subscription("members", mode="latest")
follow(subscription)
api_keys.follow(subscription)


def _member(event: MembershipEvent, ctx: EventContext, *, active: bool) -> Member:
    if ctx.version < 1:
        raise Rejected(f"The membership in {ctx.event_id} has no version.")
    return Member(
        id=event.user_id,
        email=event.email,
        name=event.name,
        role=event.role,
        active=active,
        grants=event.grants,
        denies=event.denies,
        version=ctx.version,
    )


@subscription.on(Added)
async def keep_added(event: Added, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=True))


@subscription.on(RoleChanged)
async def keep_role(event: RoleChanged, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=True))


@subscription.on(PermissionsChanged)
async def keep_permissions(event: PermissionsChanged, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=True))


@subscription.on(Removed)
async def keep_removed(event: Removed, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=False))
