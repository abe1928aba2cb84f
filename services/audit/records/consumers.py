"""The subscription to every event of every service; it depends on no field of any."""

from chassis.declare.subscription import AnyEvent, Subscription
from chassis.work.scope import EventContext
from contracts.catalog import load_all
from services.audit.records import usecases

load_all()  # Only of a contract that is loaded do we know which fields are secret; of others no field is kept.

trail = Subscription("trail", mode="every")


@trail.on_any
async def record(event: AnyEvent, ctx: EventContext) -> None:
    await usecases.store_record(ctx.scope, usecases.record_of(event, ctx))
