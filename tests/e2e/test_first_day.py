"""The first day against real processes; and again while one of them is killed with SIGKILL half-way."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from chassis.declare.resource_names import Names
from deploy.local.system import LocalSystem
from examples.first_day.check import Outcome
from examples.first_day.client import Api, Person
from examples.first_day.day import Day
from examples.first_day.holdings import Tables
from examples.first_day.inputs import Inputs
from examples.first_day.report import as_json
from examples.first_day.run import run_day

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]


def explain(day: Day, outcome: Outcome) -> str:
    return json.dumps(as_json(day, outcome), indent=1)


async def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """The first result of `look` (which blocks) that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(look)):
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)
    return found


@pytest.mark.slow
async def test_an_organizations_first_day(system: LocalSystem, inputs: Inputs) -> None:
    day, outcome, _ = await run_day(system, inputs, slug="acme-two", domain="two.example")
    assert outcome.good, explain(day, outcome)
    assert sum(each["found"] for each in outcome.events.values()) > 800
    assert outcome.repeated_emails == 0
    assert len(day.ledger.refused_files) == 3


class Killer:
    """Kills services with SIGKILL once the import is accepted, each as soon as its work is under way, and starts them
    again."""

    def __init__(self, system: LocalSystem, under_way: dict[str, Callable[[], bool]]) -> None:
        self.system, self.under_way = system, under_way
        self.killed: list[str] = []
        self.harm: list[asyncio.Task[None]] = []

    async def __call__(self, milestone: str) -> None:
        if milestone == "import accepted":
            self.harm = [asyncio.create_task(self._kill(*each)) for each in self.under_way.items()]

    async def _kill(self, service: str, under_way: Callable[[], bool]) -> None:
        await until(under_way)
        self.system.kill(service)
        self.killed.append(service)
        await self.system.start_service(service)


def count(system: LocalSystem, service: str, marker: str) -> int:
    tables = Tables(system.emulator.aws, system.stage)
    return sum(marker in item["PK"] for item in tables.items(service))


async def test_services_killed_half_way_change_nothing(system: LocalSystem, inputs: Inputs) -> None:
    """Tasks dies while it imports, and notify while it tells people of their tasks."""
    tasks, told = count(system, "tasks", "#TASK#"), count(system, "notify", "#NOTIFICATION#")
    killer = Killer(
        system,
        {
            "tasks": lambda: count(system, "tasks", "#TASK#") > tasks + 40,
            "notify": lambda: count(system, "notify", "#NOTIFICATION#") > told + 10,
        },
    )
    day, outcome, _ = await run_day(system, inputs, slug="acme", domain="acme.example", on_milestone=killer)
    await asyncio.gather(*killer.harm)
    assert sorted(killer.killed) == ["notify", "tasks"]
    assert outcome.good, explain(day, outcome)


async def test_a_malformed_message_is_dead_lettered_at_once(system: LocalSystem) -> None:
    names = Names(system.stage)
    sqs = system.emulator.aws.client("sqs")
    queue = sqs.get_queue_url(QueueName=names.queue("notify", "assignments"))["QueueUrl"]
    dead = sqs.get_queue_url(QueueName=names.dead_letters("notify", "assignments"))["QueueUrl"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody='{"detail": "no event"')["MessageId"]

    def letter() -> Any:
        answer = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"], WaitTimeSeconds=1)
        return next(iter(answer.get("Messages", [])), None)

    found = await until(letter, seconds=10)
    assert found["Body"] == '{"detail": "no event"'
    assert found["MessageAttributes"]["SourceMessageId"]["StringValue"] == sent
    assert "not JSON" in found["MessageAttributes"]["Reason"]["StringValue"]
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"])


async def test_what_it_holds_survives_a_stop_and_a_start(system: LocalSystem, inputs: Inputs) -> None:
    """Comes last: it needs the people of a day."""
    person = next(p for p in inputs.good_people if p.role == "admin")
    async with aiohttp.ClientSession() as session:
        who = Person(Api(system.base_url, session), person.email, person.name)
        await who.sign_in()
        before = await who.call("GET", "/v1/notifications/unread-count")
        address = system.base_url
        await system.stop()
        await system.start()
        assert system.base_url == address
        await who.sign_in()
        assert (await who.call("GET", "/v1/notifications/unread-count")).body == before.body
        assert (await who.call("GET", "/v1/audit/records", params={"limit": "1"})).body["items"]
