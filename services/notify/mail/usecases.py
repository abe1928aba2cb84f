"""Sending an event's e-mails: each at least once, and none is lost."""

from collections.abc import Mapping

import structlog

from chassis.errors import Retryable, Stale
from chassis.resilience.retry import gather_bounded
from chassis.work.scope import OrgScope
from services.notify.errors import AddressRefused
from services.notify.mail.model import EmailDelivery
from services.notify.mail.repository import EmailDeliveryRepository
from services.notify.ports import Composer, EmailContent, Mailer

log = structlog.get_logger(__name__)

BATCH = 8
"""E-mails that are sent at once."""
GONE = "no longer a member"


async def send_pending(scope: OrgScope, event_id: str, contents: Mapping[str, EmailContent]) -> None:
    """Send the pending e-mails of this event. `contents` are by recipient id; a recipient who is not among them has
    left, and gets none.

    One recipient's trouble does not keep the others waiting. But when every e-mail of a batch fails, the mail service
    is out, and the rest waits for the next delivery of the event. Raises Retryable if an e-mail stays pending.
    """

    async def attempt(delivery: EmailDelivery) -> Exception | None:
        try:
            await _send(scope, delivery, contents.get(delivery.recipient_id))
        except Exception as error:  # noqa: BLE001  (raised below, when the others have been tried)
            return error
        return None

    pending = [delivery for delivery in await EmailDeliveryRepository(scope).of_event(event_id) if delivery.is_pending]
    failures: list[Exception] = []
    for start in range(0, len(pending), BATCH):
        batch = pending[start : start + BATCH]
        outcomes = await gather_bounded(batch, attempt, at_once=BATCH)
        errors = [outcome for outcome in outcomes if outcome is not None]
        failures += errors
        if len(errors) == len(batch):
            break
    if failures:
        raise next((failure for failure in failures if not isinstance(failure, Retryable)), failures[0])


async def _send(scope: OrgScope, delivery: EmailDelivery, content: EmailContent | None) -> None:
    if content is None:
        return await _settle(scope, delivery.mark_failed(GONE))
    mail = scope.port(Composer).compose(delivery.id, delivery.recipient, content)
    try:
        await scope.port(Mailer).send(mail)
    except AddressRefused as refused:
        log.warning("mail_refused", delivery=delivery.id, reason=refused.detail)
        return await _settle(scope, delivery.mark_failed(refused.detail))
    return await _settle(scope, delivery.mark_sent(scope.now()))


async def _settle(scope: OrgScope, delivery: EmailDelivery) -> None:
    unit = scope.unit_of_work(claimed=False)
    EmailDeliveryRepository(scope).save(unit, delivery)
    try:
        await unit.commit()
    except Stale:
        log.info("mail_sent_by_another", delivery=delivery.id)
