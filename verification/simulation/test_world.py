"""Tests of the simulated world: it must be as hostile as the real one, and the same each time."""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import pytest

from chassis.storage.keys import Key
from chassis.storage.table import Absent, Anything, Put
from chassis.testing.service import FakeClock
from tests.services.files.fakes import BUCKET
from verification.simulation.backends import LaggingTable
from verification.simulation.driver import base, play, random_step, simulation
from verification.simulation.process import SERVICES, subscriptions_of
from verification.simulation.queues import Queue, matches
from verification.simulation.violations import Violation
from verification.simulation.wire import Fault, FaultKind, Life, Wire

RESOURCES = {"Bucket": BUCKET}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue() -> Queue:
    return Queue("notify.mentions", visibility=20, max_receives=2)


def test_a_received_message_is_hidden_for_its_visibility(queue: Queue, clock: FakeClock) -> None:
    message = queue.send("body", clock.now())

    assert queue.take(message.id, clock.now()) == (message, 2)
    assert queue.take(message.id, clock.now()) is None
    clock.advance(seconds=20)
    assert queue.take(message.id, clock.now()) is not None


def test_only_the_latest_receipt_settles(queue: Queue, clock: FakeClock) -> None:
    message = queue.send("body", clock.now())
    first, second = [_handle(queue, message.id, clock) for _ in range(2)]

    queue.delete(message.id, first)
    queue.hide(message.id, first, clock.now() + timedelta(hours=1))
    assert queue.messages[message.id].visible_at <= clock.now()
    queue.delete(message.id, second)
    assert not queue.messages


def test_a_message_received_too_often_is_a_dead_letter(queue: Queue, clock: FakeClock) -> None:
    message = queue.send("body", clock.now())
    for _ in range(queue.max_receives):
        _handle(queue, message.id, clock)

    assert queue.take(message.id, clock.now()) is None
    assert [
        (dead_letter.source_id, dead_letter.reason, dead_letter.receives) for dead_letter in queue.dead_letters
    ] == [(message.id, None, 2)]


def _handle(queue: Queue, message_id: str, clock: FakeClock) -> int:
    clock.advance(seconds=queue.visibility)
    taken = queue.take(message_id, clock.now())
    assert taken is not None
    clock.advance(seconds=queue.visibility)
    return taken[1]


def test_rules_match_what_subscriptions_declare() -> None:
    def takers(source: str, detail_type: str, detail: Mapping[str, object] | None = None) -> set[str]:
        event = {"source": source, "detail-type": detail_type, "detail": detail or {}}
        return {
            f"{name}.{each.name}"
            for name in SERVICES
            for each in subscriptions_of(name)
            if matches(each.pattern, event, RESOURCES)
        }

    assert takers("tenfold.tasks", "tasks.task.assigned.v1") == {
        "notify.assignments",
        "analytics.figures",
        "audit.trail",
    }
    assert takers("tenfold.other", "tasks.task.assigned.v1") == {"audit.trail"}
    assert len(takers("tenfold.tenancy", "tenancy.member.added.v1")) == 7
    put = {"bucket": {"name": BUCKET}, "object": {"key": "org_a/file_b/original"}}
    assert takers("aws.s3", "Object Created", put) == {"files.objects"}
    assert takers("aws.s3", "Object Created", {**put, "bucket": {"name": "another"}}) == set()
    assert takers("aws.s3", "Object Created", {**put, "object": {"key": "org_a/file_b/text.txt"}}) == set()


@pytest.mark.parametrize(
    ("kind", "executed", "raises"),
    [
        (FaultKind.CRASH_BEFORE, False, False),
        (FaultKind.CRASH_AFTER, True, False),
        (FaultKind.REFUSE, False, True),
        (FaultKind.AMBIGUOUS, True, True),
        (FaultKind.STALL_BEFORE, False, False),
        (FaultKind.STALL_AFTER, True, False),
    ],
)
def test_each_fault_is_what_it_says(kind: FaultKind, executed: bool, raises: bool) -> None:
    wire, life, executions = Wire(random.Random(0)), Life("tasks"), []
    wire.armed.append(Fault(kind, 1))

    async def calls() -> None:
        async def work() -> None:
            executions.append(True)

        await wire.call(life, "first", work, RuntimeError)
        executions.clear()
        await wire.call(life, "second", work, RuntimeError)

    async def observe() -> tuple[bool, bool]:
        task = asyncio.create_task(calls())
        for _ in range(20):
            await asyncio.sleep(0)
        raised = task.done() and isinstance(task.exception(), RuntimeError)
        task.cancel()
        return bool(executions), raised

    assert asyncio.run(observe()) == (executed, raises)
    assert life.dead == (kind in {FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER})


async def test_a_lagging_list_shows_earlier_items() -> None:
    table = LaggingTable()
    key = Key("ORG#a#THING#1")
    await table.write([Put(key, {"L1PK": "LIST", "L1SK": "1"}, Absent())])
    await table.write([Put(key, {"done": True}, Anything())])

    assert await table.query("LIST", index=1) == []
    assert [item["L1SK"] for item in await table.before_last_writes(1).query("LIST", index=1)] == ["1"]
    assert await table.before_last_writes(2).get(key) is None


def test_a_crash_forgets_what_only_memory_knew() -> None:
    with simulation(0, base()) as running:
        before = sum(running.world.state.published.values())
        running.step("create_project")
        assert running.world.outbox_of("tasks")
        running.world.crash("tasks")
        running.step("publish_all")
        assert sum(running.world.state.published.values()) == before
        running.world.advance(5)
        running.world.sweep("tasks")
        assert sum(running.world.state.published.values()) == before + 1


def test_a_seed_replays_to_the_last_call() -> None:
    traces = []
    for _ in range(2):
        dice = random.Random(7)
        with simulation(7, base()) as running:
            for _ in range(40):
                name, a, b = random_step(dice)
                if name == "fault":
                    running.arm(list(FaultKind)[a % len(FaultKind)], b % 8)
                else:
                    running.step(name, a, b)
            running.finish()
            traces.append((running.world.wire.trace, running.world.state.committed))
    assert traces[0] == traces[1]
    assert play(7, 40) == play(7, 40)


def test_missing_items_are_noticed() -> None:
    """Each check must notice damage to the tables and name its promise."""
    for service, kind, promise in (
        ("audit", "RECORD", "audit"),
        ("analytics", "PERSON", "projection"),
        ("notify", "NOTIFICATION", "lost"),
        ("tasks", "MEMBER", "projection"),
        ("tenancy", "INVITATION", "limit"),
    ):
        with simulation(0, base()) as running:
            running.step("invite", 0, 0)
            running.step("assign", 0, 1)
            running.step("unassign", 0, 1)
            running.step("comment", 0, 1)
            running.environment.drain()
            items = running.world.state.tables[service].items
            damaged = next(key for key in reversed(items) if f"#{kind}#" in f"{key.pk}#" and key.sk == "A")
            del items[damaged]
            with pytest.raises(Violation) as violation:
                running.finish()
            assert violation.value.kind == promise
