"""A day with IAM enforced and every call of the processes written down."""

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
from examples.first_day.client import Api, Person
from examples.first_day.day import Day
from examples.first_day.inputs import SAMPLE, read_inputs
from examples.first_day.run import run_day
from verification.privileges.policy import Grant, Request, grants
from verification.privileges.proxy import RecordingProxy

FIRST_VERSION = "v1"
"""Of a managed policy: as the stack made it, before it was put into the words of the embedded IAM."""
DEAD_SECONDS = 60.0
ANSWERED = tuple(range(200, 500))
"""A list that wants more parameters refuses, which is an answer too."""


@dataclass(frozen=True)
class Played:
    """What each service may do as its template says, what it was seen to do, and what went wrong on the way."""

    granted: dict[str, list[Grant]]
    used: dict[str, Counter[Request]]
    refused: Counter[str]
    unreadable: Counter[str]
    day_is_good: bool


async def play(state: Path, stage: str, tell: Callable[[str], None]) -> Played:
    """Raises DeployError if the system does not start, UnexpectedAnswerError if the day cannot be played."""
    ports: list[str] = []
    system = LocalSystem(
        state, stage=stage, progress=tell, enforced=True,
        command=lambda name: ["/usr/bin/env", f"AWS_ENDPOINT_URL={ports[0]}", *service_command(name)],
    )  # fmt: skip
    proxy = RecordingProxy(system.emulator.endpoint_url)
    await proxy.start()
    ports.append(proxy.url)
    try:
        async with system:
            day, outcome, _ = await run_day(system, read_inputs(SAMPLE), progress=tell)
            tell("does what the day does not")
            await _as_owner(system, day)
            await asyncio.to_thread(_poison, system)
            granted = await asyncio.to_thread(_granted, system)
            keys = {system.environment(name)["AWS_ACCESS_KEY_ID"]: name for name in system.services}
    finally:
        await proxy.stop()
    used: dict[str, Counter[Request]] = {name: Counter() for name in keys.values()}
    for (key, request), times in proxy.used.items():
        used[keys[key]][request] += times
    return Played(granted, used, proxy.refused, proxy.unreadable, outcome.good)


async def _as_owner(system: LocalSystem, day: Day) -> None:
    """The owner reads every list, entrusts us with a credential, and has the organization's keys rotated."""
    old = next(person for person in day.people.values() if person.role == "owner")
    credentials = f"/v1/organizations/{day.org_id}/credentials"
    async with aiohttp.ClientSession() as session:
        owner = Person(Api(system.base_url, session), old.email, old.name)
        await owner.sign_in()
        async with session.get(f"{system.base_url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        for path in (path for path, methods in paths.items() if "get" in methods and "{" not in path):
            await owner.call("GET", path, expect=ANSWERED)
        secret = {"name": "chat", "platform": "slack", "secret": "a token that is not one"}
        await owner.call("POST", credentials, json=secret)
        await owner.call("POST", f"{credentials}/rotation")


def _poison(system: LocalSystem) -> None:
    """Every queue gets a message that its service must refuse; waits until it lies with the dead letters."""
    sqs, names = system.emulator.aws.client("sqs"), Names(system.stage)
    queues = [(name, one.name) for name in system.services for one in service(name).load_subscriptions()]
    for name, subscription in queues:
        url = sqs.get_queue_url(QueueName=names.queue(name, subscription))["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="no event")
    deadline = time.monotonic() + DEAD_SECONDS
    for name, subscription in queues:
        url = sqs.get_queue_url(QueueName=names.dead_letters(name, subscription))["QueueUrl"]
        while not sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"):
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} does not dead-letter what {subscription} cannot take")


def _granted(system: LocalSystem) -> dict[str, list[Grant]]:
    """By the policies as CloudFormation made them."""
    iam, found = system.emulator.aws.client("iam"), {}
    for name in system.services:
        documents = [
            iam.get_policy_version(PolicyArn=policy, VersionId=FIRST_VERSION)["PolicyVersion"]["Document"]
            for policy in process_policies(system.emulator.aws, Names(system.stage), name)
        ]
        found[name] = grants(statement for document in documents for statement in document["Statement"])
    return found
