"""An operator's deployments of the fixture service on the embedded AWS: previewed, run, taken back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from chassis.declare.service import Service
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.errors import RefusedError, StackError, UnhealthyError
from deploy.package.packaging import interpreter_of
from deploy.stage import command as command_module
from deploy.stage import rollout as rollout_module
from deploy.stage.change_set import ChangeSet
from deploy.stage.command import Command, OperatorConsole, destroy_stage
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.preview import changes_of, preview, refuse_losses
from deploy.stage.rollout import Rollout, Step
from deploy.stage.stacks import Stacks
from deploy.stage.stage import DeploymentPlan
from deploy.template import Target, platform_template, render, service_template
from tests.deploy.conftest import SYSTEM, importable

pytestmark = pytest.mark.ministack
TARGET = Target("test", local=True)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("state")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def declared() -> Iterator[Service]:
    from chassis.declare.service import service

    with importable(SYSTEM, "demo"):
        # Without its functions: these tests are about stacks, and build no package.
        yield replace(service("demo"), resources=None, subscriptions=("services.demo.consumers:things",))


class Operator:
    """Deploys services of one stage, as the commands do."""

    def __init__(self, emulator: Emulator, stage: str) -> None:
        target = replace(TARGET, stage=stage)
        self.environment = DeploymentEnvironment(emulator.aws, target, interpreter_of(emulator_venv()))
        self.shared = Stacks(emulator.aws).deploy(self.environment.platform_stack, render(platform_template(target)))

    def rollout(self, service: Service, *, recreate: bool = False, adopt: bool = False) -> Rollout:
        plan = DeploymentPlan(
            self.environment.target, {service.name: service_template(service, self.environment.target)}
        )
        return Rollout(self.environment, plan, {}, recreate=recreate, adopt=adopt)

    def step(self, service: Service) -> Step | None:
        return self.rollout(service).service(service.name, self.shared)

    def deploy(self, service: Service, told: Any = lambda _: None) -> None:
        step = self.step(service)
        assert step
        self.rollout(service).run(step, self.shared, told)

    def body(self) -> str:
        now = self.environment.stacks.current(self.environment.target.names.stack("demo"))
        assert now
        return now.body


def test_a_service_is_deployed_seen_changed_and_taken_back(emulator: Emulator, declared: Service) -> None:
    operator, events = Operator(emulator, "one"), list[dict[str, Any]]()
    operator.deploy(declared, events.append)
    assert {event["LogicalResourceId"] for event in events} >= {"Table", "ThingsQueue", "tenfold-one-demo"}
    assert operator.step(declared) is None
    first = operator.body()

    slower = json.loads(first)
    slower["Resources"]["ThingsQueue"]["Properties"]["VisibilityTimeout"] = 77
    rollout = Rollout(operator.environment, DeploymentPlan(operator.environment.target, {"demo": slower}), {})
    step = rollout.service("demo", operator.shared)
    assert step
    assert ("ThingsQueue", "Modify", "no") in [
        (one.logical_id, one.action, one.replaced) for one in changes_of(step.planned)
    ]
    console = Console(width=200, record=True, file=StringIO())
    console.print(preview([step.planned]))
    assert "ThingsQueue" in console.export_text()
    rollout.run(step, operator.shared, lambda _: None)
    assert "77" in operator.body()

    back = rollout.earlier("demo", operator.shared)
    assert back
    rollout.run(back, operator.shared, lambda _: None)
    assert json.loads(operator.body()) == json.loads(first)


def test_what_is_unhealthy_is_taken_back(
    emulator: Emulator, declared: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(emulator, "two")

    def ill(*_: Any) -> int:
        raise UnhealthyError("the API says 503")

    monkeypatch.setattr(rollout_module, "check_health", ill)
    with pytest.raises(
        UnhealthyError, match=r"demo is unhealthy: the API says 503; its first deployment was taken back"
    ):
        operator.deploy(declared)
    monkeypatch.undo()
    assert operator.environment.stacks.current("tenfold-two-demo") is None
    emulator.aws.client("dynamodb").delete_table(TableName="tenfold-two-demo")

    operator.deploy(declared)
    before = operator.body()
    changed = json.loads(before)
    changed["Resources"]["ThingsQueue"]["Properties"]["VisibilityTimeout"] = 77
    rollout = Rollout(operator.environment, DeploymentPlan(operator.environment.target, {"demo": changed}), {})
    step = rollout.service("demo", operator.shared)
    assert step
    monkeypatch.setattr(rollout_module, "check_health", ill)
    with pytest.raises(UnhealthyError, match="version none is back"):
        rollout.run(step, operator.shared, lambda _: None)
    assert json.loads(operator.body()) == json.loads(before)


def test_a_name_that_is_taken_is_refused_before_it_is_replaced(emulator: Emulator, declared: Service) -> None:
    operator = Operator(emulator, "three")
    dynamodb = emulator.aws.client("dynamodb")
    dynamodb.create_table(
        TableName="tenfold-three-demo",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="tenfold-three-demo", Item={"id": {"S": "precious"}})
    with pytest.raises(RefusedError, match="tenfold-three-demo exists already and belongs to no stack"):
        operator.step(declared)
    assert dynamodb.scan(TableName="tenfold-three-demo")["Count"] == 1
    assert operator.environment.stacks.current("tenfold-three-demo") is None


def test_the_table_of_a_stack_that_is_gone_is_taken_over_with_what_it_holds(
    emulator: Emulator, declared: Service
) -> None:
    operator, dynamodb = Operator(emulator, "seven"), emulator.aws.client("dynamodb")
    operator.deploy(declared)
    dynamodb.put_item(TableName="tenfold-seven-demo", Item={"PK": {"S": "precious"}, "SK": {"S": "ROW"}})
    operator.environment.stacks.delete("tenfold-seven-demo")
    with pytest.raises(RefusedError, match=r"belongs to no stack .* ADOPT=1 takes it over with all its data"):
        operator.step(declared)
    unwanted = operator.rollout(declared, adopt=True).service("demo", operator.shared)
    assert unwanted
    operator.rollout(declared).discard(unwanted)
    step = operator.rollout(declared, adopt=True).service("demo", operator.shared)
    assert step
    assert ("Table", "Import") in [(one.logical_id, one.action) for one in changes_of(step.planned)]
    operator.rollout(declared).run(step, operator.shared, lambda _: None)
    assert dynamodb.scan(TableName="tenfold-seven-demo")["Count"] == 1
    assert operator.environment.stacks.owner("tenfold-seven-demo") == "tenfold-seven-demo"
    assert operator.step(declared) is None


def test_a_table_of_another_stack_is_never_taken_over(emulator: Emulator, declared: Service) -> None:
    operator = Operator(emulator, "eight")
    other = service_template(declared, operator.environment.target)
    table = {"Resources": {"Mine": other["Resources"]["Table"]}}
    operator.environment.stacks.deploy("tenfold-eight-elsewhere", json.dumps(table))
    with pytest.raises(RefusedError, match="belongs to the stack tenfold-eight-elsewhere; rename one of them"):
        operator.step(declared)
    with pytest.raises(StackError, match="CloudFormation refuses the change of tenfold-eight-demo"):
        operator.rollout(declared, adopt=True).service("demo", operator.shared)
    assert operator.environment.stacks.owner("tenfold-eight-demo") == "tenfold-eight-elsewhere"


@pytest.mark.parametrize("with_data", [False, True])
def test_a_stage_is_destroyed_and_its_data_only_if_that_is_said(
    emulator: Emulator, declared: Service, monkeypatch: pytest.MonkeyPatch, with_data: bool
) -> None:
    stage = "nine" if with_data else "ten"
    operator, text = Operator(emulator, stage), StringIO()
    operator.deploy(declared)
    plan = DeploymentPlan(operator.environment.target, {"platform": {"Resources": {}}, "demo": {"Resources": {}}})
    monkeypatch.setattr(command_module, "synthesize", lambda _: plan)
    console = OperatorConsole(Console(file=text, width=200), Console(file=StringIO()), yes=True)
    destroy_stage(Command(operator.environment, console), with_data=with_data)
    assert operator.environment.platform_stack not in operator.environment.stacks.names("tenfold-")
    tables = emulator.aws.client("dynamodb").list_tables()["TableNames"]
    assert (f"tenfold-{stage}-demo" in tables) != with_data
    assert ("with all its data" in text.getvalue()) == with_data


def test_production_is_destroyed_by_a_person_only(emulator: Emulator, declared: Service) -> None:
    operator = Operator(emulator, "prod")
    operator.deploy(declared)
    console = OperatorConsole(Console(file=StringIO()), Console(file=StringIO()), yes=True)
    for with_data in (False, True):
        with pytest.raises(RefusedError, match="only by a person who types its name; nothing was changed"):
            destroy_stage(Command(operator.environment, console), with_data=with_data)
    assert operator.environment.stacks.current("tenfold-prod-demo")


def test_a_stack_that_somebody_else_changes_is_left_alone(
    emulator: Emulator, declared: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(emulator, "eleven")
    operator.deploy(declared)
    now = operator.environment.stacks.current("tenfold-eleven-demo")
    assert now
    for status in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"):
        monkeypatch.setattr(Stacks, "current", lambda *_, status=status: replace(now, status=status))
        # Without a package to upload and before any change set: nothing else may be asked of AWS.
        monkeypatch.setattr(Stacks, "plan", None)
        with pytest.raises(RefusedError, match=f"tenfold-eleven-demo is {status}: somebody else changes it now. Wait"):
            operator.step(declared)


def test_a_stage_that_is_not_there_is_named_with_those_that_are(emulator: Emulator) -> None:
    Operator(emulator, "four")
    there = DeploymentEnvironment(emulator.aws, replace(TARGET, stage="fuor"), interpreter_of(emulator_venv()))
    with pytest.raises(RefusedError, match=r"no stage 'fuor' here; there are .*four"):
        there.platform_outputs()


def test_without_an_earlier_release_there_is_nothing_to_go_back_to(emulator: Emulator, declared: Service) -> None:
    operator = Operator(emulator, "five")
    with pytest.raises(RefusedError, match="demo is not deployed in stage five"):
        operator.rollout(declared).earlier("demo", operator.shared)
    operator.deploy(declared)
    with pytest.raises(RefusedError, match="no earlier release"):
        operator.rollout(declared).earlier("demo", operator.shared)


def test_a_stack_whose_creation_failed_is_not_touched_unasked(emulator: Emulator, declared: Service) -> None:
    operator = Operator(emulator, "six")
    emulator.aws.client("s3").create_bucket(Bucket="taken")
    taken = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "taken"}}}}
    with pytest.raises(StackError, match="ROLLBACK_COMPLETE"):
        operator.environment.stacks.deploy("tenfold-six-demo", json.dumps(taken))
    with pytest.raises(RefusedError, match="RECREATE=1"):
        operator.step(declared)
    step = operator.rollout(declared, recreate=True).service("demo", operator.shared)
    assert step
    operator.rollout(declared).discard(step)


def change(action: str, kind: str, replacement: str = "False") -> ChangeSet:
    one = {"Action": action, "LogicalResourceId": "Thing", "ResourceType": kind, "Replacement": replacement}
    return ChangeSet("stack", "name", creates=False, changes=(one,))


@pytest.mark.parametrize(
    ("planned", "lost"),
    [
        (change("Modify", "AWS::DynamoDB::Table", "True"), True),
        (change("Modify", "AWS::S3::Bucket", "Conditional"), True),
        (change("Remove", "AWS::Cognito::UserPool"), True),
        (change("Modify", "AWS::DynamoDB::Table"), False),
        (change("Add", "AWS::DynamoDB::Table"), False),
        (change("Modify", "AWS::SQS::Queue", "True"), False),
    ],
)
def test_losing_data_takes_a_word(planned: ChangeSet, lost: bool) -> None:
    refuse_losses([planned], allowed=True)
    if lost:
        with pytest.raises(RefusedError, match="ALLOW_REPLACE=1"):
            refuse_losses([planned], allowed=False)
    else:
        refuse_losses([planned], allowed=False)
