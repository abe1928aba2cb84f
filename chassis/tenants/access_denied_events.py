"""Access-denied events for the audit trail: the first refusal of a kind at once, its repetitions as a count.

A kind is one person, one organization, one operation and one reason. However many refusals of a kind there are, at most
one event is published per WINDOW. A count that is not published yet is in this process only: it is published when the
window ends, by `run` in a worker, by the next request in a function, and at shutdown. A process that is killed loses
that count, but never the first refusal of a kind.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from chassis.errors import Forbidden, MembershipEnded, TenfoldError
from chassis.work.scope import Scope
from contracts.access import DENIED
from contracts.event import REGISTRY

log = structlog.get_logger(__name__)

WINDOW = timedelta(seconds=5)
MAX_KINDS = 10_000
"""Kinds counted at a time. A refusal of any further kind is published at once, each time."""
UNVERSIONED = 0
"""The version of an event that belongs to no aggregate."""


@dataclass(frozen=True)
class Refused:
    """One refusal: the scope in which it happened, the operation, and the reason."""

    scope: Scope
    operation: str | None
    reason: str
    method: str
    route: str

    @property
    def kind(self) -> tuple[str, str, str | None, str]:
        return self.scope.event_org, self.scope.actor.id, self.operation, self.reason


@dataclass
class DenialWindow:
    last: Refused
    until: datetime
    count: int
    """Refusals not published yet; `since` is the time of the first of them."""
    since: datetime


def reason_of(error: TenfoldError) -> str | None:
    """The audit trail's word for the reason; None for an error that does not deny access."""
    match error:
        case Forbidden():
            return error.reason
        case MembershipEnded():
            return "membership-ended"
    return None


class AccessDeniedEvents:
    """The refusals of one process."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str, str | None, str], DenialWindow] = {}

    async def record(self, refused: Refused) -> None:
        """Publish it, or count it. Never raises: a refusal that cannot be published is logged, and counted with the
        next of its kind."""
        now, kind = refused.scope.now(), refused.kind
        window = self._windows.get(kind)
        if window is None:
            window = DenialWindow(refused, now, 0, now)
            if len(self._windows) < MAX_KINDS:
                self._windows[kind] = window
        window.since = window.since if window.count else now
        window.last, window.count = refused, window.count + 1
        if now >= window.until:
            await self._publish_window(window)

    async def settle(self, *, everything: bool = False) -> None:
        """Publish the counts whose window has ended, or all counts. A window without refusals is forgotten."""
        for kind, window in list(self._windows.items()):
            if not everything and window.last.scope.now() < window.until:
                continue
            if window.count:
                await self._publish_window(window)
            else:
                self._windows.pop(kind, None)

    async def run(self) -> None:
        """Settle again and again; a worker runs this in the background."""
        while True:
            await asyncio.sleep(WINDOW.total_seconds() / 5)
            await self.settle()

    def clear(self) -> None:
        self._windows.clear()

    async def _publish_window(self, window: DenialWindow) -> None:
        # The window begins before anything is awaited, so that refusals in the meantime are counted and not published.
        refused, count, since = window.last, window.count, window.since
        window.until, window.count = refused.scope.now() + WINDOW, 0
        try:
            await _publish(refused, count, since)
        except Exception:
            log.exception("denial_not_recorded", reason=refused.reason, operation=refused.operation, count=count)
            window.since, window.count = since, window.count + count


async def _publish(refused: Refused, count: int, since: datetime) -> None:
    scope = refused.scope
    unit = scope.unit_of_work(claimed=False)
    values = {
        "actor_id": scope.actor.id,
        "operation": refused.operation,
        "reason": refused.reason,
        "method": refused.method,
        "route": refused.route,
        "count": count,
        "since": since,
    }
    event = REGISTRY[DENIED.format(service=scope.context.service)].model_validate(values)
    unit.publish(event, version=UNVERSIONED)
    await unit.commit()
