"""Notifying people of an event: what they get in the app and by e-mail, decided in one transaction.

The e-mails go out after the commit. If the process dies in between, or the mail service refuses, the next delivery of
the event finds that the claim exists, and sends the e-mails that are still pending.
"""

import contextlib
from collections.abc import Iterable, Sequence

from chassis.errors import AlreadyHandled, NotYet
from chassis.tenants.members import Member, MemberRepository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.notify.inbox.repository import NotificationRepository, UnreadCounter
from services.notify.mail import usecases as mail
from services.notify.mail.model import REPLAYED
from services.notify.mail.repository import EmailDeliveryRepository
from services.notify.notifications.model import Message, TriggeringEvent

GROUP = 30
"""Recipients per transaction: three operations each and the claim, of the hundred that it may hold. A redelivery must
form the same groups: with another number, people would be notified twice of the events that are under way at that
moment."""


async def find_members(scope: OrgScope, user_ids: Iterable[str]) -> list[Member]:
    """These members, once each, former ones included. Raises NotYet if one is not known here yet."""
    repository, members = MemberRepository(scope), []
    for user_id in dict.fromkeys(user_ids):
        member = await repository.find(user_id)
        if member is None:
            raise NotYet(f"{user_id} is not known here yet.")
        members.append(member)
    return members


async def name_of(scope: OrgScope, user_id: str) -> str:
    """For texts only: nobody's notification waits for the name of the person who caused it."""
    member = await MemberRepository(scope).find(user_id)
    return display_name(member) if member else "Somebody"


def display_name(member: Member) -> str:
    return member.name or member.email


async def notify(scope: OrgScope, event: TriggeringEvent, messages: Sequence[Message]) -> None:
    """Notify each recipient once. `messages` must be to the same people in the same order at each delivery of `event`.

    A replay sends no e-mail: those that it causes are recorded as suppressed, and those that are pending are left to
    the delivery that they belong to. Raises Retryable while the mail service does not take all of them.
    """
    for start in range(0, max(len(messages), 1), GROUP):
        unit = scope.unit_of_work(step=str(start) if start else "")
        for message in messages[start : start + GROUP]:
            if not message.has_left:
                _record(scope, unit, event, message)
        with contextlib.suppress(AlreadyHandled):
            await unit.commit()
    contents = {message.recipient_id: message.email for message in messages if message.email and not message.has_left}
    if any(message.email for message in messages) and not scope.cause.replayed:
        await mail.send_pending(scope, event.event_id, contents)


def _record(scope: OrgScope, unit: UnitOfWork, event: TriggeringEvent, message: Message) -> None:
    repeated = AlreadyHandled("They have been notified.")
    if notification := message.notification(event, scope.now()):
        NotificationRepository(scope).create(unit, notification, on_conflict=repeated)
        UnreadCounter(scope).add(unit, message.recipient_id, 1)
    if delivery := message.delivery(event, scope.now()):
        if scope.cause.replayed:
            delivery = delivery.suppress(REPLAYED)
        EmailDeliveryRepository(scope).create(unit, delivery, on_conflict=repeated)
