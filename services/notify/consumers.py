"""Which events notify follows, and what it does about each."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from services.notify.reads import Assigned, Commented, Imported, Invited
from services.notify.usecases.tell_assignee import tell_assignee
from services.notify.usecases.tell_import import tell_import
from services.notify.usecases.tell_invitee import tell_invitee
from services.notify.usecases.tell_mentioned import tell_mentioned
from services.notify.usecases.telling import Occasion

assignments = Subscription("assignments")
mentions = Subscription("mentions")
invitations = Subscription("invitations")
imports = Subscription("imports")


@assignments.on(Assigned)
async def on_assigned(event: Assigned, ctx: EventContext) -> None:
    await tell_assignee(ctx.scope, Occasion.of(ctx), event)


@mentions.on(Commented)
async def on_commented(event: Commented, ctx: EventContext) -> None:
    await tell_mentioned(ctx.scope, Occasion.of(ctx), event)


@invitations.on(Invited)
async def on_invited(event: Invited, ctx: EventContext) -> None:
    await tell_invitee(ctx.scope, Occasion.of(ctx), event)


@imports.on(Imported)
async def on_imported(event: Imported, ctx: EventContext) -> None:
    await tell_import(ctx.scope, Occasion.of(ctx), event)
