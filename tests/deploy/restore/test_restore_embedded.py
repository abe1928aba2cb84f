"""A restore on the embedded AWS, which restores the present data whatever the time: all other steps are real."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from chassis.declare.service import Service
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.errors import RefusedError, StackError
from deploy.package.packaging import interpreter_of
from deploy.restore.operation import Restore
from deploy.restore.recovery import Recovery, RecoveryWindow
from deploy.restore.write_fence import WriteFence
from deploy.stage.command import Command, OperatorConsole
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.rollout import Rollout
from deploy.stage.stacks import Stacks
from deploy.stage.stage import DeploymentPlan, table_in_use
from deploy.template import Target, environment_variables_of, platform_template, render, service_template
from tests.deploy.conftest import SYSTEM, importable

pytestmark = pytest.mark.ministack
AT = "2026-11-21T09:00:00Z"
OLD, NEW = "tenfold-back-demo", "tenfold-back-demo-20261121T090000Z"


class AnyMoment(Recovery):
    """The emulator's window is the present second."""

    def window(self, name: str, now: datetime) -> RecoveryWindow:
        super().window(name, now)
        return RecoveryWindow(now - timedelta(days=35), now)


class Operator:
    def __init__(self, emulator: Emulator, service: Service) -> None:
        target = Target("back", local=True)
        self.environment = DeploymentEnvironment(emulator.aws, target, interpreter_of(emulator_venv()))
        self.dynamodb, self.service, self.out = emulator.aws.client("dynamodb"), service, StringIO()
        shared = Stacks(emulator.aws).deploy(self.environment.platform_stack, render(platform_template(target)))
        plan = DeploymentPlan(target, {"demo": service_template(service, target)})
        self.rollout = Rollout(self.environment, plan, {})
        self.shared = shared
        if step := self.rollout.service("demo", shared):
            self.rollout.run(step, shared, lambda _: None)
        on = {"PointInTimeRecoveryEnabled": True}
        self.dynamodb.update_continuous_backups(TableName=OLD, PointInTimeRecoverySpecification=on)

    @property
    def restore(self) -> Restore:
        console = Console(file=self.out, width=160)
        command = Command(self.environment, OperatorConsole(console, console, yes=True))
        fence = WriteFence(self.environment.aws, "tenfold-back-demo", lambda _: None)
        return Restore(command, "demo", AnyMoment(self.environment.aws, lambda _: None), fence, datetime.now(UTC))

    def put(self, table: str, task: str, title: str) -> None:
        item = {"PK": {"S": f"ORG#org_1#TASK#{task}"}, "SK": {"S": "A"}, "title": {"S": title}}
        self.dynamodb.put_item(TableName=table, Item=item)

    @property
    def used(self) -> str:
        return table_in_use(self.environment.aws, self.environment.target.names, "demo")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    from chassis.declare.service import service

    with Emulator(tmp_path_factory.mktemp("state")) as emulator, importable(SYSTEM, "demo"):
        yield Operator(emulator, replace(service("demo"), resources=None, subscriptions=()))


def test_a_service_uses_the_restored_table_and_goes_back(operator: Operator) -> None:
    operator.put(OLD, "task_1", "kept")
    operator.put(OLD, "task_2", "kept too")
    operator.restore.at(AT)
    outputs = operator.environment.stacks.outputs("tenfold-back-demo")
    assert operator.used == environment_variables_of(outputs)["TENFOLD_TABLE"] == NEW
    described = operator.dynamodb.describe_table(TableName=NEW)["Table"]
    assert {one["IndexName"] for one in described["GlobalSecondaryIndexes"]} == {"list1", "list2"}
    lives = operator.dynamodb.describe_time_to_live(TableName=NEW)["TimeToLiveDescription"]
    assert (lives["TimeToLiveStatus"], lives["AttributeName"]) == ("ENABLED", "expires_at")
    assert Recovery(operator.environment.aws).window(NEW, datetime.now(UTC))
    tags = operator.dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    assert {"Key": "tenfold:service", "Value": "demo"} in tags
    fenced = operator.dynamodb.describe_table(TableName=OLD)["Table"]["TableArn"]
    assert "Deny" in operator.dynamodb.get_resource_policy(ResourceArn=fenced)["Policy"]

    assert operator.rollout.service("demo", operator.shared) is None  # a deployment does not move the data

    operator.put(NEW, "task_1", "changed")
    operator.put(NEW, "task_3", "new")
    operator.restore.use(OLD)
    told = operator.out.getvalue()
    assert "changed since: ORG#org_1#TASK#task_1 A" in told
    assert "made since: ORG#org_1#TASK#task_3 A" in told
    assert operator.used == OLD
    with pytest.raises(operator.dynamodb.exceptions.PolicyNotFoundException):
        operator.dynamodb.get_resource_policy(ResourceArn=fenced)


def test_a_swap_that_fails_leaves_the_old_table_in_use(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def unhealthy(*_: object) -> int:
        raise StackError("unhealthy")

    operator.dynamodb.restore_table_to_point_in_time(
        SourceTableName=OLD, TargetTableName=f"{OLD}-other", UseLatestRestorableTime=True
    )
    monkeypatch.setattr("deploy.restore.swap.check_health", unhealthy)
    with pytest.raises(StackError, match="unhealthy"):
        operator.restore.use(f"{OLD}-other")
    assert operator.used == OLD


def policy_of(operator: Operator, table: str) -> str | None:
    arn = operator.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    try:
        return str(operator.dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])
    except operator.dynamodb.exceptions.PolicyNotFoundException:
        return None


def test_a_fence_that_does_not_open_leaves_the_old_table_in_use_and_open(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = WriteFence.open

    def refused(self: WriteFence, arn: str) -> None:
        if arn.endswith("-second"):
            raise StackError("throttled")
        real(self, arn)

    operator.dynamodb.restore_table_to_point_in_time(
        SourceTableName=OLD, TargetTableName=f"{OLD}-second", UseLatestRestorableTime=True
    )
    monkeypatch.setattr(WriteFence, "open", refused)
    with pytest.raises(StackError, match="throttled"):
        operator.restore.use(f"{OLD}-second")
    assert (operator.used, policy_of(operator, OLD)) == (OLD, None)


def test_what_a_killed_exchange_left_closed_is_opened_by_asking_for_the_table_in_use(operator: Operator) -> None:
    arn = operator.dynamodb.describe_table(TableName=OLD)["Table"]["TableArn"]
    operator.restore.fence.close(arn)
    assert "Deny" in str(policy_of(operator, OLD))
    operator.restore.use(OLD)
    assert (operator.used, policy_of(operator, OLD)) == (OLD, None)


@pytest.mark.parametrize(
    ("table", "said"),
    [("tenfold-back-demo-nowhere", "it does not exist"), ("tenfold-prod-audit", "is not a table of this service")],
)
def test_another_table_is_refused(operator: Operator, table: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        operator.restore.use(table)
    assert operator.used == OLD
