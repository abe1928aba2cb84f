"""The events that notify subscribes to, and its use case for each."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from services.notify.notifications.model import TriggeringEvent
from services.notify.notifications.reads import Assigned, Commented, Imported, Invited
from services.notify.notifications.usecases import assignments as assignment_usecases
from services.notify.notifications.usecases import imports as import_usecases
from services.notify.notifications.usecases import invitations as invitation_usecases
from services.notify.notifications.usecases import mentions as mention_usecases

assignments = Subscription("assignments")
mentions = Subscription("mentions")
invitations = Subscription("invitations")
imports = Subscription("imports")


@assignments.on(Assigned)
async def on_assigned(event: Assigned, ctx: EventContext) -> None:
    await assignment_usecases.notify_assignee(ctx.scope, TriggeringEvent.of(ctx), event)


@mentions.on(Commented)
async def on_commented(event: Commented, ctx: EventContext) -> None:
    await mention_usecases.notify_mentioned(ctx.scope, TriggeringEvent.of(ctx), event)


@invitations.on(Invited)
async def on_invited(event: Invited, ctx: EventContext) -> None:
    await invitation_usecases.notify_invitee(ctx.scope, TriggeringEvent.of(ctx), event)


@imports.on(Imported)
async def on_imported(event: Imported, ctx: EventContext) -> None:
    await import_usecases.notify_of_import(ctx.scope, TriggeringEvent.of(ctx), event)
