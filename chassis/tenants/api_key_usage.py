"""API key usage: events from which identity knows when a key was last used.

There is one event per key, service and WINDOW of the clock, however many processes the service has: the row that marks
the window is written with the event, and only once. A process that has published it, or has found it published, does
nothing more until the next window. So a request costs at most one write, and nearly all requests cost none.
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
"""How far the recorded time of the last use may lag behind, besides the event's delivery."""
REMEMBERED = 10_000
"""Keys that a process remembers. One that it forgot costs another write, which changes nothing."""
UNVERSIONED = 0
"""The version of an event that does not change its aggregate."""


class ApiKeyUsage:
    """The keys whose use this process knows to be published, each with the window."""

    def __init__(self) -> None:
        self._published: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def record(self, scope: OrgScope, key_id: str) -> None:
        """Publish that the key is used now, in the scope of its program. Never raises: a failure is logged, and tried
        again at the next use."""
        use, window = (scope.org_id, key_id), int(scope.now().timestamp()) // WINDOW.seconds
        if self._published.get(use) == window:
            return
        self._published[use] = window  # before anything is awaited, so that parallel requests do not publish it twice
        self._published.move_to_end(use)
        if len(self._published) > REMEMBERED:
            self._published.popitem(last=False)
        published = False
        try:
            await _publish(scope, key_id, window)
            published = True
        except AlreadyHandled:
            published = True  # by another process
        except Exception:
            log.exception("key_use_not_told", api_key=key_id)
        finally:
            if not published:
                self._published.pop(use, None)

    def forget(self) -> None:
        self._published.clear()


async def _publish(scope: OrgScope, key_id: str, window: int) -> None:
    """Raises AlreadyHandled if this window's event exists."""
    unit = scope.unit_of_work(claimed=False)
    end = (window + 2) * WINDOW.seconds
    unit.put(scope.key("KEY_USE", key_id), {"version": window}, expect=OlderThan(window), expires_at=end)
    used = REGISTRY[KEY_USED.format(service=scope.context.service)]
    unit.publish(used.model_validate({"key_id": key_id}), version=UNVERSIONED)
    await unit.commit()
