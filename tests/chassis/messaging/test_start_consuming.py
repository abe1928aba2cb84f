"""Start of a process while AWS does not answer."""

import pytest

from awsjson import AwsError, DeadlineExceeded
from chassis.messaging import worker
from chassis.messaging.worker import start_consuming
from chassis.resilience.retry import RetryPolicy


class Broker:
    """A broker whose start fails with each of its errors."""

    def __init__(self, *errors: AwsError) -> None:
        self.errors, self.starts = list(errors), 0

    async def start(self) -> None:
        self.starts += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "START_POLICY", RetryPolicy(tries=None, first=0.001, longest=0.001))


async def test_consumers_start_once_the_queues_answer() -> None:
    broker = Broker(DeadlineExceeded("no answer"), AwsError("ServiceUnavailable", status=503))
    await start_consuming(broker)
    assert broker.starts == 3


async def test_a_permanent_error_ends_the_process() -> None:
    broker = Broker(AwsError("AccessDenied", status=403))
    with pytest.raises(AwsError, match="AccessDenied"):
        await start_consuming(broker)
    assert broker.starts == 1
