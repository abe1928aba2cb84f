"""The table of decisions: a handler's end means the same, under each AckPolicy, in a worker, a Lambda and a test."""

from typing import Any

import pytest
from faststream.exceptions import AckMessage, NackMessage, RejectMessage, SkipMessage
from faststream.middlewares import AckPolicy
from faststream_sqs import Backoff, Outcome, SQSBroker, SQSMessage, SQSQueue, TestSQSBroker, lambda_handler
from faststream_sqs.annotations import SQSMessage as InjectedMessage
from faststream_sqs.record import SQSRecord
from faststream_sqs.settlement import dead_letter

from sqs_suite.events import event, failed_ids
from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until

A, N, R, U = Outcome.ACKED, Outcome.NACKED, Outcome.REJECTED, Outcome.RELEASED
ENDINGS = (
    "returns",
    "bug",
    "ack",
    "nack",
    "reject",
    "ack bug",
    "nack bug",
    "reject bug",
    "raise ack",
    "raise nack",
    "raise reject",
    "raise skip",
)
TABLE: dict[AckPolicy, tuple[Outcome, ...]] = {
    AckPolicy.NACK_ON_ERROR: (A, N, A, N, R, A, N, R, A, N, R, U),
    AckPolicy.REJECT_ON_ERROR: (A, R, A, N, R, A, N, R, A, N, R, U),
    AckPolicy.ACK: (A, A, A, N, R, A, N, R, A, N, R, U),
    AckPolicy.MANUAL: (U, U, A, N, R, A, N, R, U, U, U, U),
    AckPolicy.ACK_FIRST: (A, A, A, A, A, A, A, A, A, A, A, A),
}
RAISED = {"ack": AckMessage, "nack": NackMessage, "reject": RejectMessage, "skip": SkipMessage}


async def end(message: SQSMessage) -> None:
    first, _, second = message.body.decode().partition(" ")
    if first == "raise":
        raise RAISED[second]
    if first in ("ack", "nack", "reject"):
        await getattr(message, first)()
    if "bug" in (first, second):
        raise ValueError


def broker_with(policy: AckPolicy, raw: bool, client: FakeSQS) -> SQSBroker:
    broker = SQSBroker(client, logger=None, poll_grace=0.01)
    subscriber = broker.subscriber(
        SQSQueue("q", dead_letter="dead"),
        raw=raw,
        ack_policy=policy,
        wait=0,
        linger=0.001,
        backoff=Backoff(base=60, random=lambda: 1.0),
    )
    if raw:
        subscriber(end)
    else:

        @subscriber
        async def handle(body: Any, message: InjectedMessage) -> None:
            await end(message)

    return broker


cases = pytest.mark.parametrize(
    ("policy", "raw"), [(policy, raw) for policy in AckPolicy for raw in (True, False)], ids=str
)


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(AckPolicy)
    assert {len(row) for row in TABLE.values()} == {len(ENDINGS)}


@cases
async def test_in_a_test(policy: AckPolicy, raw: bool) -> None:
    test = TestSQSBroker(broker_with(policy, raw, FakeSQS()))
    async with test:
        outcomes = [(await test.deliver(ending, "q")).outcome for ending in ENDINGS]
    assert dict(zip(ENDINGS, outcomes, strict=True)) == dict(zip(ENDINGS, TABLE[policy], strict=True))
    assert len(test.settlements) == len(ENDINGS)


@cases
async def test_in_a_worker(policy: AckPolicy, raw: bool) -> None:
    fake = FakeSQS(visibility=1000)
    fake.put(*ENDINGS)
    broker = broker_with(policy, raw, fake)
    await broker.start()
    kept = [ending for ending, outcome in zip(ENDINGS, TABLE[policy], strict=True) if outcome in (N, U)]
    await until(lambda: fake.left() == kept)
    await until(lambda: sum(m.visible_at < fake.now() + 100 for m in fake.messages if not m.deleted) == len(kept))
    await broker.stop()
    rejected = [ending for ending, outcome in zip(ENDINGS, TABLE[policy], strict=True) if outcome is R]
    assert [params["MessageBody"] for params in fake.sent] == rejected


@cases
def test_in_a_lambda(policy: AckPolicy, raw: bool) -> None:
    fake = FakeSQS()
    handler = lambda_handler(broker_with(policy, raw, fake))
    expected = dict(zip(ENDINGS, TABLE[policy], strict=True))
    assert failed_ids(handler(event(*ENDINGS))) == [ending for ending in ENDINGS if expected[ending] in (N, U)]
    assert [params["MessageBody"] for params in fake.sent] == [e for e in ENDINGS if expected[e] is R]
    handler.close()


def test_a_message_that_is_rejected_again_keeps_the_source_it_had() -> None:
    source = {"DataType": "String", "StringValue": "first"}
    record = SQSRecord("q", "{}", "second", message_attributes={"SourceMessageId": source})
    assert dead_letter("url", record, "no")["MessageAttributes"]["SourceMessageId"] == source
    fresh = dead_letter("url", SQSRecord("q", "{}", "second"), "no")
    assert fresh["MessageAttributes"]["SourceMessageId"]["StringValue"] == "second"
