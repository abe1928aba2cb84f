"""An organization's first day with IAM enforced and every call of the processes recorded."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chassis.declare.resource_names import Names
from chassis.declare.service import service
from deploy.embedded.identities import process_policies
from deploy.local.system import LocalSystem, service_command
from deploy.stage.stacks import Stacks
from examples.first_day.client import Api, Person
from examples.first_day.day import Day
from examples.first_day.inputs import SAMPLE, read_inputs
from examples.first_day.run import run_day
from verification.privileges.policy import Grant, Request, grants
from verification.privileges.proxy import RecordingProxy

FIRST_VERSION = "v1"
"""Version of a managed policy as its stack created it, before it was adapted to the embedded IAM."""
DEAD_SECONDS = 60.0
EXPECTED = tuple(range(200, 500))
"""Statuses of an answer; a list that requires parameters refuses, which is an answer, too."""


@dataclass(frozen=True)
class RecordedDay:
    """The day: the grants of each service by its template, the requests that it made, and what went wrong."""

    granted: dict[str, list[Grant]]
    used: dict[str, Counter[Request]]
    refused: Counter[str]
    unreadable: Counter[str]
    day_is_good: bool


async def play(state: Path, stage: str, report_progress: Callable[[str], None]) -> RecordedDay:
    """Play and record the day.

    Raises DeployError if the system does not start, UnexpectedAnswerError if the day cannot be played.
    """
    ports: list[str] = []
    system = LocalSystem(
        state,
        stage=stage,
        progress=report_progress,
        enforced=True,
        command=lambda name: ["/usr/bin/env", f"AWS_ENDPOINT_URL={ports[0]}", *service_command(name)],
    )
    proxy = RecordingProxy(system.emulator.endpoint_url)
    await proxy.start()
    ports.append(proxy.url)
    try:
        async with system:
            day, outcome, _ = await run_day(system, read_inputs(SAMPLE), progress=report_progress)
            report_progress("doing what is not part of the day")
            await _call_as_owner(system, day)
            await asyncio.to_thread(_send_poison, system)
            granted = await asyncio.to_thread(_read_grants, system)
            keys = {system.environment(name)["AWS_ACCESS_KEY_ID"]: name for name in system.services}
    finally:
        await proxy.stop()
    used: dict[str, Counter[Request]] = {name: Counter() for name in keys.values()}
    for (key, request), times in proxy.used.items():
        used[keys[key]][request] += times
    return RecordedDay(granted, used, proxy.refused, proxy.unreadable, outcome.good)


async def _call_as_owner(system: LocalSystem, day: Day) -> None:
    """As the owner, read every list, store a credential, and rotate the keys of the organization."""
    earlier = next(person for person in day.people.values() if person.role == "owner")
    credentials = f"/v1/organizations/{day.org_id}/credentials"
    async with aiohttp.ClientSession() as session:
        owner = Person(Api(system.base_url, session), earlier.email, earlier.name)
        await owner.sign_in()
        async with session.get(f"{system.base_url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        for path in (path for path, methods in paths.items() if "get" in methods and "{" not in path):
            await owner.call("GET", path, expect=EXPECTED)
        secret = {"name": "chat", "platform": "slack", "secret": "a token that is not one"}
        await owner.call("POST", credentials, json=secret)
        await owner.call("POST", f"{credentials}/rotation")


def _send_poison(system: LocalSystem) -> None:
    """Send every queue a message that its service must refuse, and wait until it is in the dead-letter queue."""
    sqs, names = system.emulator.aws.client("sqs"), Names(system.stage)
    queues = [(name, each.name) for name in system.services for each in service(name).load_subscriptions()]
    for name, subscription in queues:
        url = sqs.get_queue_url(QueueName=names.queue(name, subscription))["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="no event")
    deadline = time.monotonic() + DEAD_SECONDS
    for name, subscription in queues:
        url = sqs.get_queue_url(QueueName=names.dead_letters(name, subscription))["QueueUrl"]
        while not sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"):
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} does not dead-letter a message that {subscription} must refuse")


def _read_grants(system: LocalSystem) -> dict[str, list[Grant]]:
    """Grants of each service by its policies as CloudFormation created them."""
    iam, granted = system.emulator.aws.client("iam"), {}
    for name in system.services:
        documents = [
            iam.get_policy_version(PolicyArn=policy, VersionId=FIRST_VERSION)["PolicyVersion"]["Document"]
            for policy in process_policies(Stacks(system.emulator.aws).outputs(Names(system.stage).stack(name)))
        ]
        granted[name] = grants(statement for document in documents for statement in document["Statement"])
    return granted
