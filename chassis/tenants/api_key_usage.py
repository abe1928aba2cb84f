"""That an API key is used, on its way to identity, which shows when it last was.

One event for each key and service in each WINDOW of the clock, however many processes the service has: the row that
marks the window is written with the event, and only once. A process that has told, or seen told, asks no more until
the next window, so that a request costs at most one write, and nearly all cost none.
"""

from collections import OrderedDict
from datetime import timedelta

import structlog

from chassis.errors import AlreadyHandled
from chassis.storage.table import OlderThan
from chassis.work.scope import OrgScope
from contracts.access import KEY_USED
from contracts.event import REGISTRY

log = structlog.get_logger(__name__)

WINDOW = timedelta(minutes=10)
"""How far behind the truth the moment of the last use may be, besides the event's delivery."""
REMEMBERED = 10_000
"""Keys that a process remembers. One that it forgot is asked for again, and not told again."""
UNVERSIONED = 0
"""A use is no change of the key."""


class ApiKeyUsage:
    """Which keys' uses this process knows to be told, and for which window."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def record(self, scope: OrgScope, key_id: str) -> None:
        """Tell that the key is used now, in the scope of its program. Never raises: what cannot be told is logged, and
        tried again at the next use."""
        use, window = (scope.org_id, key_id), int(scope.now().timestamp()) // WINDOW.seconds
        if self._told.get(use) == window:
            return
        self._remember(use, window)  # before anything is awaited, so that requests at once do not tell it twice
        told = False
        try:
            await _publish(scope, key_id, window)
            told = True
        except AlreadyHandled:
            told = True  # by another process
        except Exception:
            log.exception("key_use_not_told", api_key=key_id)
        finally:
            if not told:
                self._told.pop(use, None)

    def forget(self) -> None:
        self._told.clear()

    def _remember(self, use: tuple[str, str], window: int) -> None:
        self._told[use] = window
        self._told.move_to_end(use)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)


async def _publish(scope: OrgScope, key_id: str, window: int) -> None:
    """Raises AlreadyHandled if this window's event exists."""
    unit = scope.unit_of_work(claimed=False)
    end = (window + 2) * WINDOW.seconds
    unit.put(scope.key("KEY_USE", key_id), {"version": window}, expect=OlderThan(window), expires_at=end)
    used = REGISTRY[KEY_USED.format(service=scope.context.service)]
    unit.publish(used.model_validate({"key_id": key_id}), version=UNVERSIONED)
    await unit.commit()
