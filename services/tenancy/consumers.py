"""What tenancy reads of the events of identity."""

from chassis import api_keys
from chassis.context import EventContext
from chassis.subscription import Subscription
from contracts.common import UserId
from contracts.identity import v1 as identity
from contracts.reads import Reads
from services.tenancy.usecases import organizations


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
        await organizations.create_personal(ctx.scope, event.user_id, event.email, event.name)
