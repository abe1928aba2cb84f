"""Each service's projection of what tenancy says of an organization: its plan, its status, its settings.

`follow` adds it to a subscription; `chassis.tenants.members:subscription` has it. In the tenancy service the row is not
a projection but the truth; it has the same key and the same fields."""

from datetime import timedelta

from pydantic import BaseModel

from chassis.declare.subscription import Subscription
from chassis.errors import NotYet, Rejected
from chassis.work.cache import Cached
from chassis.work.repository import Aggregate, Repository
from chassis.work.scope import EventContext, OrgScope
from contracts.common import OrgId, OrgStatus, Plan
from contracts.reads import Reads
from contracts.tenancy import v1 as tenancy


class OrganizationProfile(Aggregate):
    """What every service knows of an organization; `id` is its id, `version` counts the changes of the organization."""

    id: OrgId
    slug: str
    name: str
    plan: Plan = Plan.FREE
    status: OrgStatus = OrgStatus.ACTIVE
    allowed_origins: tuple[str, ...] = ()


class OrganizationProfiles(Repository[OrganizationProfile]):
    """The scope's organization."""

    kind = "ORGANIZATION"
    model = OrganizationProfile


PROFILE: Cached[OrganizationProfile | None] = Cached("organization", timedelta(seconds=300))


async def profile_of(scope: OrgScope) -> OrganizationProfile | None:
    """The organization, at most 300 s old; None while no event of it has arrived. For plans, names and settings: what
    must take effect at once, such as a suspension, is not read here but by the guard, from the table."""
    return await PROFILE.get(scope, lambda: OrganizationProfiles(scope).find(scope.org_id))


async def project(scope: OrgScope, profile: OrganizationProfile) -> None:
    """Keep `profile` unless a newer state of the organization is known."""
    await OrganizationProfiles(scope).project(profile)
    PROFILE.forget(scope)


class State(BaseModel):
    """What is read of `tenancy.OrganizationState`."""

    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    allowed_origins: tuple[str, ...]


class Created(Reads[tenancy.OrganizationCreated]):
    slug: str
    name: str
    plan: Plan
    organization: State | None = None


class PlanChanged(Reads[tenancy.PlanChanged]):
    plan: Plan
    organization: State | None = None


class Changed(Reads[tenancy.OrganizationChanged]):
    organization: State


class StatusChanged(Reads[tenancy.OrganizationStatusChanged]):
    organization: State


def follow(subscription: Subscription) -> None:
    """Let `subscription`, whose mode is `latest`, keep the profile of each organization."""
    subscription.on(Created)(keep_created)
    subscription.on(PlanChanged)(keep_plan)
    subscription.on(Changed)(keep_state)
    subscription.on(StatusChanged)(keep_status)


async def keep_created(event: Created, ctx: EventContext) -> None:
    if event.organization is not None:
        await _keep(event.organization, ctx)
        return
    state = State(slug=event.slug, name=event.name, plan=event.plan, status=OrgStatus.ACTIVE, allowed_origins=())
    await _keep(state, ctx)


async def keep_plan(event: PlanChanged, ctx: EventContext) -> None:
    if event.organization is not None:
        await _keep(event.organization, ctx)
        return
    # By a tenancy of before the state was told, which changed nothing but plans: the rest is as it was.
    known = await OrganizationProfiles(ctx.scope).find(ctx.scope.org_id)
    if known is None:
        raise NotYet(f"{ctx.scope.org_id} is not known yet.")
    await project(ctx.scope, known.model_copy(update={"plan": event.plan, "version": ctx.version}))


async def keep_state(event: Changed, ctx: EventContext) -> None:
    await _keep(event.organization, ctx)


async def keep_status(event: StatusChanged, ctx: EventContext) -> None:
    await _keep(event.organization, ctx)


async def _keep(state: State, ctx: EventContext) -> None:
    if ctx.version < 1:
        raise Rejected(f"The organization in {ctx.event_id} has no version.")
    profile = OrganizationProfile(id=ctx.scope.org_id, version=ctx.version, **dict(state))
    await project(ctx.scope, profile)
