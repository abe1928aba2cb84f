"""Each service's projection of an organization's members: who they are, their role, and whether they are still in.
The same queue brings the organization's own state (`chassis.organizations`).

A service adds it by naming `chassis.members:subscription` among its subscriptions. In the tenancy service the same
rows are not a projection but the truth; they have the same key and the same fields.
"""

from collections.abc import AsyncIterator

from chassis.context import EventContext, Scope
from chassis.errors import AlreadyHandled, Rejected
from chassis.keys import ListEntry
from chassis.organizations import follow
from chassis.repository import Aggregate, Listing, Repository
from chassis.subscription import Subscription
from chassis.table import OlderThan
from contracts.common import Role, UserId
from contracts.reads import Reads
from contracts.tenancy import v1 as tenancy

MEMBERS = Listing(index=1, name="MEMBERS", shards=2)


class Member(Aggregate):
    """A user's place in an organization; `id` is the user's id. A member who left stays, with `active` false."""

    id: UserId
    email: str
    name: str
    role: Role
    active: bool = True


class Members(Repository[Member]):
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


async def project(scope: Scope, member: Member) -> None:
    """Keep `member` unless a newer state of that membership is known."""
    unit = scope.unit(claimed=False)
    members = Members(scope)
    unit.put(members.key(member.id), member, expect=OlderThan(member.version), lists=members.lists(member))
    try:
        await unit.commit()
    except AlreadyHandled:
        return


class Added(Reads[tenancy.MemberAdded]):
    user_id: UserId
    email: str
    name: str
    role: Role


class RoleChanged(Reads[tenancy.MemberRoleChanged]):
    user_id: UserId
    email: str
    name: str
    role: Role


class Removed(Reads[tenancy.MemberRemoved]):
    user_id: UserId
    email: str
    name: str
    role: Role


subscription = Subscription("members", mode="latest")
follow(subscription)


def _member(event: Added | RoleChanged | Removed, ctx: EventContext, *, active: bool) -> Member:
    if ctx.version < 1:
        raise Rejected(f"The membership in {ctx.event_id} has no version.")
    return Member(
        id=event.user_id, email=event.email, name=event.name, role=event.role, active=active, version=ctx.version
    )


@subscription.on(Added)
async def keep_added(event: Added, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=True))


@subscription.on(RoleChanged)
async def keep_role(event: RoleChanged, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=True))


@subscription.on(Removed)
async def keep_removed(event: Removed, ctx: EventContext) -> None:
    await project(ctx.scope, _member(event, ctx, active=False))
