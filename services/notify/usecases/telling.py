"""Telling people of an event: what they see in the product and what they get by e-mail, decided in one transaction.

The e-mails go out after the commit. Whoever dies in between, or is refused by the mail service, finds at the next
delivery of the event that the claim exists, and goes on with the e-mails that are still owed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from chassis.errors import AlreadyHandled, NotYet
from chassis.tenants.members import Member, Members
from chassis.work.scope import EventContext, OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.notify.model import REPLAYED, Delivery, Kind, Notification, delivery_id, notification_id
from services.notify.ports import Letter
from services.notify.repository import Deliveries, Notifications, UnreadCounter
from services.notify.usecases.mailing import send_owed

GROUP = 30
"""Recipients in one transaction: three operations each and the claim, of the hundred that it may hold. A redelivery
must cut the same groups, so another number would tell some twice whose event is under way at that moment."""


@dataclass(frozen=True)
class Occasion:
    """The event that people are told of."""

    event_id: str
    event_type: str
    time: datetime

    @classmethod
    def of(cls, ctx: EventContext) -> Self:
        return cls(ctx.event_id, ctx.event_type, ctx.time)


@dataclass(frozen=True)
class Note:
    """What stands in the product. `subject_id` is what a person opens from it."""

    kind: Kind
    subject_id: str
    title: str
    body: str | None = None


@dataclass(frozen=True)
class Message:
    """What one recipient is told: in the product, by e-mail, or both. Who has left is told nothing."""

    recipient_id: str
    address: str
    note: Note | None = None
    letter: Letter | None = None
    left: bool = False


async def people(scope: OrgScope, user_ids: Iterable[str]) -> list[Member]:
    """These members, once each, also those who left. Raises NotYet if one is not known here yet."""
    members, found = Members(scope), []
    for user_id in dict.fromkeys(user_ids):
        member = await members.find(user_id)
        if member is None:
            raise NotYet(f"{user_id} is not known here yet.")
        found.append(member)
    return found


async def name_of(scope: OrgScope, user_id: str) -> str:
    """For texts only: nobody's notification waits for the name of who caused it."""
    member = await Members(scope).find(user_id)
    return called(member) if member else "Somebody"


def called(member: Member) -> str:
    return member.name or member.email


async def tell(scope: OrgScope, occasion: Occasion, messages: Sequence[Message]) -> None:
    """Tell each recipient once. `messages` must be the same people in the same order at each delivery of the event.

    A replay sends no e-mail: those that it would owe are recorded as suppressed, and those still pending are left to
    the delivery that owes them. Raises Retryable while the mail service takes not all of it.
    """
    for start in range(0, max(len(messages), 1), GROUP):
        unit = scope.unit_of_work(step=str(start) if start else "")
        for message in messages[start : start + GROUP]:
            if not message.left:
                _record(scope, unit, occasion, message)
        try:
            await unit.commit()
        except AlreadyHandled:
            continue
    letters = {message.recipient_id: message.letter for message in messages if message.letter and not message.left}
    if any(message.letter for message in messages) and not scope.cause.replayed:
        await send_owed(scope, occasion.event_id, letters)


def _record(scope: OrgScope, unit: UnitOfWork, occasion: Occasion, message: Message) -> None:
    known = AlreadyHandled("They have been told.")
    if message.note:
        notification = Notification(
            id=notification_id(occasion.event_id, message.recipient_id),
            user_id=message.recipient_id,
            kind=message.note.kind,
            title=message.note.title,
            body=message.note.body,
            subject_id=message.note.subject_id,
            event_id=occasion.event_id,
            event_type=occasion.event_type,
            event_time=occasion.time,
            created_at=scope.now(),
        )
        Notifications(scope).create(unit, notification, on_conflict=known)
        UnreadCounter(scope).add(unit, message.recipient_id, 1)
    if message.letter:
        delivery = Delivery(
            id=delivery_id(occasion.event_id, message.recipient_id),
            event_id=occasion.event_id,
            event_type=occasion.event_type,
            recipient_id=message.recipient_id,
            recipient=message.address,
            created_at=scope.now(),
        )
        if scope.cause.replayed:
            delivery = delivery.suppressed(REPLAYED)
        Deliveries(scope).create(unit, delivery, on_conflict=known)
