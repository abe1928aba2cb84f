"""Events of every service by which it is known when an API key was last used."""

from pydantic import BaseModel

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from contracts.access import KeyUse
from contracts.catalog import load_all
from contracts.common import ApiKeyId
from contracts.reads import reader_of
from services.identity.api_keys.model import LastUse
from services.identity.api_keys.repository import LastUseRepository


class Used(BaseModel):
    key_id: ApiKeyId


def follow_uses(subscription: Subscription) -> None:
    """Let `subscription` record the last use of each API key. A new service's event needs no line here."""
    for event in load_all().values():
        if issubclass(event, KeyUse):
            subscription.on(reader_of(event, Used))(keep_use)


async def keep_use(event: Used, ctx: EventContext) -> None:
    """Project a use by its time, so that of uses in any order the latest stays. A time that is ahead of our clock
    counts as now."""
    await LastUseRepository(ctx.scope).project(LastUse.at(event.key_id, min(ctx.time, ctx.scope.now())))
