"""The Bus port on EventBridge."""

from collections.abc import Sequence

import structlog

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.errors import Unavailable
from chassis.work.outbox import OutboxEntry

log = structlog.get_logger(__name__)

TIMEOUT = 5.0


class EventBridge:
    """One stage's event bus."""

    def __init__(self, calls: AwsCalls, name: str) -> None:
        self._calls, self._name = calls, name

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        params = {
            "Entries": [
                {"EventBusName": self._name, "Source": e.source, "DetailType": e.event_type, "Detail": e.detail}
                for e in entries
            ]
        }
        try:
            answer = await self._calls.call("events", "PutEvents", params, timeout=TIMEOUT)
        except AwsError as error:
            raise Unavailable(f"The event bus does not answer: {error.code}.") from error
        for entry in answer["Entries"]:
            if "EventId" not in entry:
                log.warning("bus_refused", code=entry.get("ErrorCode"), reason=entry.get("ErrorMessage"))
        return ["EventId" in entry for entry in answer["Entries"]]
