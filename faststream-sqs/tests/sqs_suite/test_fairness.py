"""Groups take turns among the messages that are held, however many each of them has."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from faststream_sqs import SQSBroker, SQSMessage, SQSQueue, SQSRecord
from faststream_sqs.buffer import Buffer

from sqs_suite.backends import Backend
from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until

NOISY, QUIET = 200, 2
WORKERS = 4


def tenant(record: SQSRecord) -> str:
    return record.body.partition("-")[0]


def bodies() -> list[str]:
    """A flood of one tenant, and two messages of another behind it."""
    return [f"noisy-{number}" for number in range(NOISY)] + [f"quiet-{number}" for number in range(QUIET)]


def filled(fair: bool) -> Buffer:
    buffer = Buffer(lanes=False, group_of=tenant if fair else None)
    for body in bodies():
        buffer.add(SQSRecord("q", body))
    return buffer


def test_groups_take_turns() -> None:
    buffer = filled(fair=True)
    order = [buffer.take()[0].body for _ in range(NOISY + QUIET)]
    assert order[:6] == ["noisy-0", "quiet-0", "noisy-1", "quiet-1", "noisy-2", "noisy-3"]
    assert sorted(order) == sorted(bodies())
    assert not buffer


def test_without_groups_the_first_is_served_first() -> None:
    buffer = filled(fair=False)
    assert [buffer.take()[0].body for _ in range(NOISY + QUIET)] == bodies()


def test_a_group_that_comes_again_waits_for_its_turn() -> None:
    buffer = Buffer(lanes=False, group_of=tenant)
    for body in ("a-0", "b-0", "c-0"):
        buffer.add(SQSRecord("q", body))
    assert buffer.take()[0].body == "a-0"
    buffer.add(SQSRecord("q", "a-1"))
    assert [record.body for record in buffer.take(limit=3)] == ["b-0", "c-0", "a-1"]


def test_clearing_gives_everything_back() -> None:
    buffer = filled(fair=True)
    assert sorted(record.body for record in buffer.clear()) == sorted(bodies())
    assert not buffer


def test_a_record_without_a_group_has_its_turn_too() -> None:
    buffer = Buffer(lanes=False, group_of=lambda record: record.group)
    for number in range(3):
        buffer.add(SQSRecord("q", f"a{number}", attributes={"MessageGroupId": "a"}))
    buffer.add(SQSRecord("q", "none"))
    assert [buffer.take()[0].body for _ in range(4)] == ["a0", "none", "a1", "a2"]


async def order_of_handling(
    broker: SQSBroker, held: Callable[[], int], fill: Callable[[], Awaitable[None]], *, fair: bool
) -> list[str]:
    """Handlers end only when all messages are held, so that the test measures the order and not the speed."""
    order: list[str] = []
    go = asyncio.Event()

    async def handle(message: SQSMessage) -> None:
        await go.wait()
        order.append(message.body.decode())
        await asyncio.sleep(0)

    subscriber = broker.subscriber(
        SQSQueue("q", visibility=60),
        raw=True,
        max_workers=WORKERS,
        prefetch=NOISY + QUIET + 10,
        wait=1,
        fair_by=tenant if fair else None,
    )
    subscriber(handle)
    await fill()
    await broker.start()
    runtime = subscriber.runtime
    assert runtime is not None
    await until(lambda: len(runtime.held) == NOISY + QUIET, 30)
    go.set()
    await until(lambda: len(order) == NOISY + QUIET, 30)
    await broker.stop()
    assert held() == 0
    return order


@pytest.mark.parametrize("fair", [True, False])
async def test_a_flood_delays_nobody_else(fair: bool) -> None:
    fake = FakeSQS()

    async def fill() -> None:
        fake.put(*bodies())

    order = await order_of_handling(
        SQSBroker(fake, logger=None, poll_grace=0.05), lambda: len(fake.left()), fill, fair=fair
    )
    last = max(order.index(f"quiet-{number}") for number in range(QUIET))
    assert (last <= WORKERS + 2 * QUIET) is fair


@pytest.mark.parametrize("backend", [pytest.param("ministack", marks=pytest.mark.ministack)], indirect=True)
async def test_a_flood_delays_nobody_else_on_a_real_queue(backend: Backend) -> None:
    url = await backend.create("q")

    async def fill() -> None:
        for start in range(0, NOISY + QUIET, 10):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies()[start : start + 10])]
            await backend.call("SendMessageBatch", QueueUrl=url, Entries=entries)

    order = await order_of_handling(
        SQSBroker(backend.transport, logger=None, poll_grace=0.05), lambda: 0, fill, fair=True
    )
    assert max(order.index(f"quiet-{number}") for number in range(QUIET)) <= WORKERS + 2 * QUIET
    assert await backend.counts(url) == (0, 0)
