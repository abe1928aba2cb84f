"""Envelopes of EventBridge and SNS are removed on request."""

import base64
import json
from typing import Any

import pytest
from faststream import AckPolicy
from faststream_sqs import Envelope, Outcome, SQSBatchMessage, SQSBroker, SQSMessage, TestSQSBroker
from faststream_sqs.annotations import SQSMessage as InjectedMessage
from pydantic import BaseModel

EVENT = {
    "version": "0",
    "id": "e1",
    "detail-type": "shop.order.paid.v1",
    "source": "shop",
    "account": "1",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {"id": 7, "name": "ä"},
}
NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "n1",
    "TopicArn": "arn:aws:sns:eu-central-1:1:orders",
    "Subject": "paid",
    "Message": '{"id": 8}',
    "Timestamp": "2026-01-01T00:00:00Z",
    "MessageAttributes": {
        "correlation_id": {"Type": "String", "Value": "c1"},
        "kind": {"Type": "String", "Value": "paid"},
        "blob": {"Type": "Binary", "Value": base64.b64encode(b"\x00").decode()},
    },
}


class Order(BaseModel):
    id: int


@pytest.mark.parametrize(("envelope", "outer", "number"), [("eventbridge", EVENT, 7), (Envelope.SNS, NOTIFICATION, 8)])
async def test_a_typed_handler_gets_the_content(envelope: Any, outer: dict[str, Any], number: int) -> None:
    broker = SQSBroker()
    seen: list[tuple[Order, Any]] = []

    @broker.subscriber("q", envelope=envelope)
    async def handle(order: Order, message: InjectedMessage) -> None:
        seen.append((order, message.envelope))

    test = TestSQSBroker(broker)
    async with test:
        assert (await test.deliver(json.dumps(outer), "q")).outcome is Outcome.ACKED
    order, wrapped = seen[0]
    assert order == Order(id=number)
    assert wrapped == {name: value for name, value in outer.items() if name not in ("detail", "Message")}


async def test_a_raw_handler_and_filters_see_the_envelopes_fields_as_headers() -> None:
    broker = SQSBroker()
    seen: list[SQSMessage] = []
    chosen: list[Any] = []

    @broker.subscriber("sns", envelope="sns", raw=True)
    async def handle(message: SQSMessage) -> None:
        seen.append(message)

    events = broker.subscriber("events", envelope="eventbridge")

    @events(filter=lambda message: message.headers["detail-type"] == "other")
    async def other(body: Any) -> None:
        raise AssertionError

    @events(filter=lambda message: message.headers["detail-type"] == EVENT["detail-type"])
    async def paid(body: dict[str, Any]) -> None:
        chosen.append(body)

    test = TestSQSBroker(broker)
    async with test:
        await test.deliver(json.dumps(NOTIFICATION), "sns")
        await test.deliver(json.dumps(EVENT), "events")
    message = seen[0]
    assert (message.body, message.correlation_id) == (b'{"id": 8}', "c1")
    assert message.headers["kind"] == "paid"
    assert message.headers["blob"] == b"\x00"
    assert (message.headers["sns-topic"], message.headers["sns-subject"]) == (NOTIFICATION["TopicArn"], "paid")
    assert chosen == [EVENT["detail"]]


WRONG = ["{", "[]", "1", '{"detail": {}}', '{"Message": 1, "TopicArn": "x"}', "", "[" * 100_000]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("envelope", list(Envelope))
@pytest.mark.parametrize(
    ("policy", "outcome"), [("nack_on_error", Outcome.NACKED), ("reject_on_error", Outcome.REJECTED)]
)
async def test_a_body_without_an_envelope_is_settled_by_the_policy(
    raw: bool, envelope: Envelope, policy: str, outcome: Outcome
) -> None:
    broker = SQSBroker(logger=None)

    @broker.subscriber("q", envelope=envelope, raw=raw, ack_policy=AckPolicy(policy))
    async def handle(message: Any) -> None:
        raise AssertionError

    test = TestSQSBroker(broker)
    async with test:
        assert {(await test.deliver(body, "q")).outcome for body in WRONG} == {outcome}


async def test_batches_are_unwrapped_one_by_one() -> None:
    broker = SQSBroker(logger=None)
    seen: list[Any] = []

    @broker.subscriber("q", envelope="eventbridge", batch=True, raw=True)
    async def handle(batch: SQSBatchMessage) -> None:
        seen.extend(batch.body)

    test = TestSQSBroker(broker)
    async with test:
        await test.deliver_batch([json.dumps(EVENT)] * 2, "q")
    assert [json.loads(body) for body in seen] == [EVENT["detail"]] * 2


def test_an_unknown_envelope_is_refused() -> None:
    with pytest.raises(ValueError, match="kafka"):
        SQSBroker().subscriber("q", envelope="kafka")
