"""Services deploy alone, in any order; what happens to one stage or one service leaves all others as they are."""

import json
import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.declare.service import service
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.package.packaging import interpreter_of, package
from deploy.services import service_names
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.rollout import Rollout
from deploy.stage.stacks import Stacks
from deploy.stage.stage import DeploymentPlan
from deploy.template import Target, platform_template, render, service_template

pytestmark = pytest.mark.ministack
TARGET = Target("one", local=True)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path / "state") as emulator:
        yield emulator


class Operator:
    """Deploys services alone, one after the other."""

    def __init__(self, emulator: Emulator, stage: str, cache: Path) -> None:
        self.place = DeploymentEnvironment(emulator.aws, replace(TARGET, stage=stage), interpreter_of(emulator_venv()))
        self._cache = cache
        stack = self.place.platform_stack
        self.shared = Stacks(emulator.aws).deploy(stack, render(platform_template(self.place.target)))

    def deploy(self, name: str, visibility: int | None = None) -> None:
        """`visibility` makes it another version."""
        template = service_template(service(name), self.place.target)
        if visibility is not None:
            queue = next(one for key, one in template["Resources"].items() if key.endswith("Queue"))
            queue["Properties"]["VisibilityTimeout"] = visibility
        plan = DeploymentPlan(self.place.target, {name: template})
        packages = {
            one: package(one, self.place.interpreter, self._cache / "packages") for one in plan.services_with_functions
        }
        rollout = Rollout(self.place, plan, packages)
        step = rollout.service(name, self.shared)
        assert step, f"{name} has nothing to change"
        rollout.run(step, self.shared, lambda _: None)

    def bodies(self) -> dict[str, str]:
        found = {name: self.place.stacks.current(self.place.target.names.stack(name)) for name in service_names()}
        return {name: one.body for name, one in found.items() if one}

    def event_arrives(self, note: str, queue: str) -> bool:
        """Whether an event on the stage's bus reaches a service's queue."""
        names, aws = self.place.target.names, self.place.aws
        entry = {
            "EventBusName": names.bus,
            "Source": "tenfold.tasks",
            "DetailType": "tasks.task.created.v1",
            "Detail": json.dumps({"orgid": "org_1", "data": {"note": note}}),
        }
        assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
        sqs, deadline = aws.client("sqs"), time.monotonic() + 10
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        while time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                if note in message["Body"]:
                    return True
        return False


def test_any_order_other_versions_a_deletion_and_a_second_stage(emulator: Emulator, cache: Path) -> None:
    seed = secrets.randbelow(1000)
    order = random.Random(seed).sample(service_names(), len(service_names()))
    one = Operator(emulator, "one", cache)
    for name in order:
        one.deploy(name)
    assert set(one.bodies()) == set(order), f"seed {seed}"
    assert one.event_arrives("first", "tenfold-one-audit-trail"), f"seed {seed}"

    before = one.bodies()
    one.deploy("analytics", visibility=61)
    after = one.bodies()
    assert {name for name in before if before[name] != after[name]} == {"analytics"}
    assert one.event_arrives("second", "tenfold-one-audit-trail")
    assert one.event_arrives("third", "tenfold-one-analytics-figures")

    two = Operator(emulator, "two", cache)
    two.deploy("audit")
    assert one.bodies() == after
    assert two.event_arrives("fourth", "tenfold-two-audit-trail")
    one.place.stacks.delete("tenfold-one-analytics")
    assert set(one.bodies()) == set(order) - {"analytics"}
    assert one.event_arrives("fifth", "tenfold-one-audit-trail")
    assert set(two.bodies()) == {"audit"}
