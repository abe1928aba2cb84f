"""Sending the e-mails that an event made us owe: at least once, never lost."""

import asyncio
from collections.abc import Mapping

import structlog

from chassis.errors import Retryable, Stale
from chassis.work.scope import OrgScope
from services.notify.errors import AddressRefused
from services.notify.model import Delivery
from services.notify.ports import Composer, Letter, Mailer
from services.notify.repository import Deliveries

log = structlog.get_logger(__name__)

AT_ONCE = 8
GONE = "no longer a member"


async def send_owed(scope: OrgScope, event_id: str, letters: Mapping[str, Letter]) -> None:
    """Send what is pending of this event. `letters` by recipient; who is not among them has left, and gets none.

    One recipient's trouble does not keep the others waiting, but when nobody of a batch is served, the mail service
    is out and the rest waits for the next delivery. Raises Retryable if anything stays pending.
    """
    owed = [delivery for delivery in await Deliveries(scope).of_event(event_id) if delivery.pending]
    failures: list[BaseException] = []
    for start in range(0, len(owed), AT_ONCE):
        batch = owed[start : start + AT_ONCE]
        outcomes = await asyncio.gather(
            *(_send(scope, delivery, letters.get(delivery.recipient_id)) for delivery in batch), return_exceptions=True
        )
        refused = [outcome for outcome in outcomes if outcome is not None]
        failures += refused
        if len(refused) == len(batch):
            break
    if failures:
        raise next((failure for failure in failures if not isinstance(failure, Retryable)), failures[0])


async def _send(scope: OrgScope, delivery: Delivery, letter: Letter | None) -> None:
    if letter is None:
        return await _settle(scope, delivery.failed(GONE))
    mail = scope.port(Composer).compose(delivery.id, delivery.recipient, letter)
    try:
        await scope.port(Mailer).send(mail)
    except AddressRefused as refused:
        log.warning("mail_refused", delivery=delivery.id, reason=refused.detail)
        return await _settle(scope, delivery.failed(refused.detail))
    return await _settle(scope, delivery.sent(scope.now()))


async def _settle(scope: OrgScope, delivery: Delivery) -> None:
    unit = scope.unit_of_work(claimed=False)
    Deliveries(scope).save(unit, delivery)
    try:
        await unit.commit()
    except Stale:
        log.info("mail_sent_by_another", delivery=delivery.id)
