"""The consumer of registrations. Its queue also feeds the projection of API keys, which the guards read."""

from chassis.declare.subscription import Subscription
from chassis.tenants import api_keys
from chassis.work.scope import EventContext
from contracts.common import UserId
from contracts.identity import v1 as identity
from contracts.reads import Reads
from services.tenancy.onboarding import usecases


class Registered(Reads[identity.UserRegistered]):
    user_id: UserId
    email: str
    name: str
    invited: bool


users = Subscription("users", mode="every")
api_keys.follow(users)


@users.on(Registered)
async def make_personal_organization(event: Registered, ctx: EventContext) -> None:
    if not event.invited:
        await usecases.create_personal(ctx.scope, event.user_id, event.email, event.name)
