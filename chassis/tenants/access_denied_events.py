"""Refusals on their way to the audit trail: the first of a kind at once, its repetitions as a count.

A kind is one person's, in one organization, for one operation and one reason. However many refusals of it come, at most
one event in WINDOW is made. What is counted and not told yet lives in this process alone: it is told when the window is
over, by `run` in a worker, by the next request in a function, and on leaving; a process that is killed loses that
count, and never the first of a kind.
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
"""Counted at a time. One more is told at once, each time, rather than not at all."""
UNVERSIONED = 0
"""A refusal belongs to no aggregate."""


@dataclass(frozen=True)
class Refused:
    """One refusal: in whose organization and by whom, of what, and why."""

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
    """Not told yet; `since` is when the first of them was."""
    since: datetime


def reason_of(error: TenfoldError) -> str | None:
    """The trail's word for why somebody was refused; None for errors that refuse nobody."""
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
        """Tell it, or count it. Never raises: what cannot be told is logged, and counted with the next of its kind."""
        now, kind = refused.scope.now(), refused.kind
        window = self._windows.get(kind)
        if window is None:
            window = DenialWindow(refused, now, 0, now)
            if len(self._windows) < MAX_KINDS:
                self._windows[kind] = window
        window.since = window.since if window.count else now
        window.last, window.count = refused, window.count + 1
        if now >= window.until:
            await self._tell(window)

    async def settle(self, *, everything: bool = False) -> None:
        """Tell the counts whose window is over, or all of them. A window in which nothing came is forgotten."""
        for kind, window in list(self._windows.items()):
            if not everything and window.last.scope.now() < window.until:
                continue
            if window.count:
                await self._tell(window)
            else:
                self._windows.pop(kind, None)

    async def run(self) -> None:
        """For a worker's background, for ever."""
        while True:
            await asyncio.sleep(WINDOW.total_seconds() / 5)
            await self.settle()

    def clear(self) -> None:
        self._windows.clear()

    async def _tell(self, window: DenialWindow) -> None:
        # The window begins before anything is awaited, so that who comes meanwhile is counted and not told.
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
    said = {
        "actor_id": scope.actor.id,
        "operation": refused.operation,
        "reason": refused.reason,
        "method": refused.method,
        "route": refused.route,
        "count": count,
        "since": since,
    }
    told = REGISTRY[DENIED.format(service=scope.context.service)].model_validate(said)
    unit.publish(told, version=UNVERSIONED)
    await unit.commit()
