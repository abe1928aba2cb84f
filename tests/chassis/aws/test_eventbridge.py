"""The adapter of EventBridge: its result for each entry."""

from typing import Any

import pytest

from awsjson import AwsError
from chassis.aws.eventbridge import EventBridge
from chassis.errors import Unavailable
from chassis.work.outbox import OutboxEntry


async def test_the_result_says_for_each_entry_whether_it_was_accepted() -> None:
    sent: list[Any] = []

    class Calls:
        async def call(self, service: str, operation: str, params: Any, *, timeout: float | None = None) -> Any:
            sent.append((service, operation, params, timeout))
            return {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}

    entries = [OutboxEntry("1", "tenfold.tasks", "tasks.project.created.v1", "{}")] * 2
    assert await EventBridge(Calls(), "bus").put(entries) == [True, False]
    [(service, operation, params, timeout)] = sent
    assert (service, operation, timeout is not None) == ("events", "PutEvents", True)
    assert params["Entries"][0] == {
        "EventBusName": "bus",
        "Source": "tenfold.tasks",
        "DetailType": "tasks.project.created.v1",
        "Detail": "{}",
    }


async def test_every_failure_is_unavailability() -> None:
    class Calls:
        async def call(self, service: str, operation: str, params: Any, *, timeout: float | None = None) -> Any:
            raise AwsError("AccessDeniedException", status=400)

    with pytest.raises(Unavailable, match="AccessDenied"):
        await EventBridge(Calls(), "bus").put([])
