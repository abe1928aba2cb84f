"""The time at which a failed message comes again."""

import pytest
from faststream_sqs import Backoff
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import MAX_VISIBILITY
from faststream_sqs.settlement import QueueSettlement
from faststream_sqs.transport import SQSCalls

from sqs_suite.fakes import FakeSQS


def settlement(backoff: Backoff) -> QueueSettlement:
    async def no_dead_letters() -> str | None:
        return None

    return QueueSettlement(
        SQSCalls(FakeSQS()), "q", "q", backoff=backoff, linger=0, dead_letter_url=no_dead_letters, log=lambda *_: None
    )


@pytest.mark.parametrize(("receives", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 20), (100, 20)])
async def test_the_delay_grows_with_every_receive(receives: int, seconds: int) -> None:
    record = SQSRecord("q", "", receipt_handle="r", attributes={"ApproximateReceiveCount": str(receives)})
    given_back = settlement(Backoff(base=2, cap=20, random=lambda: 1.0))
    assert given_back.visibility_change(record, None) == ("r", seconds)


async def test_a_requested_delay_counts_whatever_the_receives() -> None:
    record = SQSRecord("q", "", receipt_handle="r", attributes={"ApproximateReceiveCount": "9"})
    given_back = settlement(Backoff(base=2, cap=20, random=lambda: 1.0))
    assert [given_back.visibility_change(record, delay)[1] for delay in (0, 0.2, 7, 10**6)] == [0, 1, 7, MAX_VISIBILITY]
