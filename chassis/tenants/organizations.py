"""Each service's projection of an organization: its plan, its status and the settings that all services need.

`follow` adds it to a subscription, as `chassis.tenants.members:subscription` does. In the tenancy service the row is
not a projection but the source; it has the same key and the same fields.
"""

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
    """An organization as every service knows it; `version` counts the organization's changes."""

    id: OrgId
    slug: str
    name: str
    plan: Plan = Plan.FREE
    status: OrgStatus = OrgStatus.ACTIVE
    allowed_origins: tuple[str, ...] = ()


class OrganizationProfileRepository(Repository[OrganizationProfile]):
    """The scope's organization."""

    kind = "ORGANIZATION"
    model = OrganizationProfile


PROFILE: Cached[OrganizationProfile | None] = Cached("organization", timedelta(seconds=300))


async def profile_of(scope: OrgScope) -> OrganizationProfile | None:
    """The organization, cached for up to 300 s; None before its first event has arrived. For plans, names and settings
    only: the guard reads what must take effect at once, such as a suspension, from the table."""
    return await PROFILE.get(scope, lambda: OrganizationProfileRepository(scope).find(scope.org_id))


async def project(scope: OrgScope, profile: OrganizationProfile) -> None:
    """Store `profile` unless a newer state of the organization is stored."""
    await OrganizationProfileRepository(scope).project(profile)
    PROFILE.forget(scope)


class State(BaseModel):
    """The fields read from `tenancy.OrganizationState`."""

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
    """Let `subscription`, whose mode is `latest`, store the profile of each organization."""
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
    # From a release of tenancy whose events had no state and changed nothing but plans: the rest is as it was.
    known = await OrganizationProfileRepository(ctx.scope).find(ctx.scope.org_id)
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
