"""Invariants under handlers, faults and stops: one decision per delivery, no delete without success, none held."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from faststream.exceptions import AckMessage, NackMessage, RejectMessage, StopConsume
from faststream.middlewares import AckPolicy
from faststream_sqs import Backoff, Outcome, SQSBroker, SQSMessage, SQSQueue, SQSRecord
from faststream_sqs.message import parse_message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awsjson import AwsError
from sqs_suite.fakes import FakeSQS

VISIBILITY = 1000
LATE = 0.25
BEHAVIOURS = [
    "ack",
    "nack",
    "reject",
    "bug",
    "silent",
    "ack twice",
    "nack then ack",
    "reject then bug",
    "cancelled",
    "slow",
    "stuck",
    "stubborn",
    "reject and ack at once",
    "raise ack",
    "raise nack",
    "raise reject",
]
MAY_DELETE = {
    "ack",
    "ack twice",
    "reject",
    "reject then bug",
    "slow",
    "stubborn",
    "reject and ack at once",
    "raise ack",
    "raise reject",
}


async def behave(message: SQSMessage) -> None:  # noqa: C901  # a table
    behaviour = message.body.decode().partition(":")[0]
    match behaviour:
        case "ack" | "ack twice" | "slow":
            await asyncio.sleep(0.03 if behaviour == "slow" else 0)
            await message.ack()
            if behaviour == "ack twice":
                await message.ack()
                await message.nack(0)
        case "nack" | "nack then ack":
            await message.nack(3)
            if behaviour == "nack then ack":
                await message.ack()
        case "reject" | "reject then bug":
            await message.reject("poison")
            if behaviour == "reject then bug":
                raise ValueError
        case "bug":
            raise ValueError
        case "cancelled":
            raise asyncio.CancelledError
        case "stuck":
            await asyncio.sleep(60)
        case "stubborn":
            await outlive_the_stop(message)
        case "reject and ack at once":
            await asyncio.gather(message.reject("poison"), message.ack())
        case "raise ack":
            raise AckMessage
        case "raise nack":
            raise NackMessage(delay=2)
        case "raise reject":
            raise RejectMessage(reason="poison")


async def outlive_the_stop(message: SQSMessage) -> None:
    """A handler that refuses to be cancelled, like a thread, and decides long after the stop."""
    until = asyncio.get_running_loop().time() + LATE
    while (left := until - asyncio.get_running_loop().time()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(left)
    await message.ack()


def faults(share: int, seed: int) -> Any:
    state = {"n": seed}

    def fault(operation: str, params: Mapping[str, Any]) -> Exception | None:
        state["n"] += 1
        wanted = operation in ("ReceiveMessage", "SendMessage") and share and state["n"] % share == 0
        return AwsError("InternalError", status=500) if wanted else None

    return fault


def partial_failures(share: int) -> Any:
    state = {"n": 0}

    def fail(operation: str, index: int) -> dict[str, Any] | None:
        state["n"] += 1
        return {"Code": "InternalError", "SenderFault": False} if share and state["n"] % share == 0 else None

    return fail


def entries(fake: FakeSQS, operation: str) -> list[str]:
    return [entry["ReceiptHandle"] for name, params in fake.calls if name == operation for entry in params["Entries"]]


async def consume(
    fake: FakeSQS, *, workers: int, prefetch: int, policy: AckPolicy, until_stop: float, dead: bool
) -> list[str]:
    """The ids of the messages that were passed to handlers."""
    broker = SQSBroker(fake, logger=None, graceful_timeout=0.05, poll_grace=0.02)
    started: list[str] = []

    async def handle(message: SQSMessage) -> None:
        started.append(message.message_id)
        await behave(message)

    subscriber = broker.subscriber(
        SQSQueue("q.fifo" if fake.messages and fake.messages[0].group else "q", dead_letter="dead" if dead else None),
        raw=True,
        no_reply=True,
        ack_policy=policy,
        max_workers=workers,
        prefetch=prefetch,
        pollers=2,
        wait=1,
        linger=0.001,
        heartbeat=False,
        backoff=Backoff(base=1.0, cap=4.0),
    )
    subscriber(handle)
    await broker.start()
    runtime = subscriber.runtime
    assert runtime is not None
    most = 0
    deadline = fake.now() + until_stop
    while fake.now() < deadline:
        most = max(most, len(runtime.held))
        await asyncio.sleep(0.002)
    await broker.stop()
    assert most <= prefetch
    assert runtime.held == {}, "held past the stop"
    return started


def may_succeed(body: str, policy: AckPolicy) -> bool:
    behaviour = body.partition(":")[0]
    return behaviour in MAY_DELETE or (behaviour == "silent" and policy is not AckPolicy.MANUAL)


def assert_groups_wait(fake: FakeSQS, started: list[str], policy: AckPolicy) -> None:
    """No message is handled after one of its group that cannot have succeeded."""
    stuck: dict[str | None, str] = {}
    for message in fake.messages:
        if message.group is not None:
            assert message.message_id not in started or message.group not in stuck, f"overtook {stuck[message.group]}"
            if not may_succeed(message.body, policy):
                stuck.setdefault(message.group, message.body)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    behaviours=st.lists(st.sampled_from(BEHAVIOURS), max_size=25),
    groups=st.booleans(),
    workers=st.integers(1, 4),
    prefetch=st.integers(1, 15),
    policy=st.sampled_from([AckPolicy.MANUAL, AckPolicy.NACK_ON_ERROR]),
    until_stop=st.sampled_from([0.0, 0.01, 0.05]),
    call_faults=st.sampled_from([0, 3, 5]),
    entry_faults=st.sampled_from([0, 2, 3]),
    dead=st.booleans(),
)
def test_the_acknowledgement_state_machine(
    behaviours: list[str],
    groups: bool,
    workers: int,
    prefetch: int,
    policy: AckPolicy,
    until_stop: float,
    call_faults: int,
    entry_faults: int,
    dead: bool,
) -> None:
    fake = FakeSQS(visibility=VISIBILITY, fault=faults(call_faults, len(behaviours)))
    fake.fail_entries = partial_failures(entry_faults)
    for number, behaviour in enumerate(behaviours):
        fake.put(f"{behaviour}:{number}", group=f"g{number % 3}" if groups else None)

    async def run() -> tuple[list[str], float]:
        with patch("faststream_sqs.runtime.CANCEL_PATIENCE", 0.05):
            started = await consume(
                fake, workers=workers, prefetch=prefetch, policy=policy, until_stop=until_stop, dead=dead
            )
        ended = fake.now()
        while len(asyncio.all_tasks()) > 1 and fake.now() < ended + 5:
            await asyncio.sleep(0.01)
        return started, ended

    started, ended = asyncio.run(run())
    assert_groups_wait(fake, started, policy)
    deleted, returned = set(entries(fake, "DeleteMessageBatch")), set(entries(fake, "ChangeMessageVisibilityBatch"))
    assert not deleted & returned, "two decisions about one delivery"
    buried = {params["MessageAttributes"]["SourceMessageId"]["StringValue"] for params in fake.sent}
    for message in fake.messages:
        behaviour = message.body.partition(":")[0]
        if message.deleted:
            assert may_succeed(message.body, policy)
            assert "reject" not in behaviour or message.message_id in buried
        elif message.receives:
            assert message.receipt in deleted | returned, f"nothing was decided about {behaviour}"
            # a decision that SQS refused again and again waits for the visibility to end
            assert entry_faults or message.visible_at <= ended + 10, f"{behaviour} is held past the stop"


class Recording:
    """A Settler that records the decisions."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def ack(self, record: SQSRecord) -> None:
        self.reached.append("ack")

    async def nack(self, record: SQSRecord, delay: float | None) -> None:
        self.reached.append("nack")

    async def reject(self, record: SQSRecord, reason: str) -> None:
        await asyncio.sleep(0)
        self.reached.append("reject")


OUTCOMES = {"ack": Outcome.ACKED, "nack": Outcome.NACKED, "reject": Outcome.REJECTED}


@given(decisions=st.lists(st.sampled_from(list(OUTCOMES)), min_size=1, max_size=6), at_once=st.booleans())
def test_one_decision_reaches_the_queue_and_it_is_the_first(decisions: list[str], at_once: bool) -> None:
    settler = Recording()
    record = SQSRecord("q", "x", settler=settler)

    async def decide() -> None:
        # parsed twice, as FastStream does where a parser belongs to a handler: still one record
        messages = [await parse_message(record), await parse_message(record)]
        steps = [getattr(messages[n % 2], decision)() for n, decision in enumerate(decisions)]
        if at_once:
            await asyncio.gather(*steps)
        else:
            for step in steps:
                await step

    asyncio.run(decide())
    assert settler.reached == decisions[:1]
    assert record.outcome is OUTCOMES[decisions[0]]


async def test_stop_consume_ends_the_subscriber_and_loses_nothing() -> None:
    fake = FakeSQS(visibility=VISIBILITY)
    fake.put(*[str(i) for i in range(5)])
    broker = SQSBroker(fake, logger=None, graceful_timeout=1, poll_grace=0.02)
    subscriber = broker.subscriber("q", raw=True, wait=1, backoff=Backoff(random=lambda: 0.0))

    @subscriber
    async def handle(message: SQSMessage) -> None:
        if message.body == b"2":
            raise StopConsume

    await broker.start()
    deadline = fake.now() + 5
    while subscriber.runtime is not None and fake.now() < deadline:
        await asyncio.sleep(0.005)
    assert subscriber.runtime is None
    assert not subscriber.running
    await broker.stop()
    assert fake.left() == fake.visible() == ["2", "3", "4"]
