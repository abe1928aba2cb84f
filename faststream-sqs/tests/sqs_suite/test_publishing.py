"""Publishing in batches, and the options of consumption."""

from typing import Any

import pytest
from faststream_sqs import (
    Backoff,
    FailedEntry,
    PublishFailed,
    SQSBroker,
)
from faststream_sqs.producer import MAX_BYTES
from faststream_sqs.schemas import MAX_VISIBILITY, visibility_seconds

from sqs_suite.fakes import FakeSQS


def broker_on(fake: FakeSQS, **options: Any) -> SQSBroker:
    return SQSBroker(fake, **({"logger": None, "graceful_timeout": 2.0, "poll_grace": 0.05} | options))


async def test_batches_are_split_by_count_and_size_and_failures_are_named() -> None:
    fake = FakeSQS()
    broker = broker_on(fake)
    await broker.start()
    ids = await broker.publish_batch(*range(25), queue="q")
    assert len(ids) == 25
    assert fake.count("SendMessageBatch") == 3
    await broker.publish_batch(*["x" * (MAX_BYTES // 2)] * 3, queue="q")
    assert fake.count("SendMessageBatch") == 6
    assert await broker.publish_batch(queue="q") == []
    tries = {"n": 0}

    def fail(operation: str, index: int) -> dict[str, Any] | None:
        tries["n"] += 1
        if tries["n"] == 1:
            return {"Code": "InternalError", "Message": "later", "SenderFault": False}
        return {"Code": "InvalidMessageContents", "Message": "no", "SenderFault": True} if tries["n"] == 2 else None

    fake.fail_entries = fail
    with pytest.raises(PublishFailed) as caught:
        await broker.publish_batch("again", "never", "fine", queue="q")
    assert caught.value.failed == (FailedEntry(1, "InvalidMessageContents", "no", sender_fault=True),)
    assert caught.value.message_ids == ("s0", None, "s2")
    await broker.stop()


def test_visibility_is_whole_seconds_and_never_sooner() -> None:
    assert [visibility_seconds(d) for d in (-1, 0, 0.1, 1, 1.5, 1e9)] == [0, 0, 1, 1, 2, MAX_VISIBILITY]


def test_backoff_grows_to_its_cap() -> None:
    backoff = Backoff(base=1.0, cap=10.0, random=lambda: 1.0)
    assert [backoff.delay(n) for n in (0, 1, 2, 3, 4, 5, 500)] == [1.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@pytest.mark.parametrize("options", [{"max_workers": 0}, {"wait": 21}, {"prefetch": 0}, {"pollers": 0}])
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        SQSBroker().subscriber("q", **options)  # type: ignore[arg-type]
