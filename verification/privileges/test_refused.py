"""Every service tries every call on every resource of an embedded AWS with IAM enforced, with its own credentials."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from chassis.declare.service import service
from contracts.event import SOURCE_PREFIX
from deploy.aws import REGION
from deploy.embedded.emulator import Emulator
from deploy.embedded.ports import free_port
from deploy.local.provision import Order, provision
from deploy.services import ROOT, service_names
from deploy.template.shared import STACK
from verification.privileges.attempts import ATTEMPTS, BUS, DEAD_LETTERS, INDEXED, QUEUE, SECRET, TABLE, Attempt

pytestmark = [pytest.mark.slow, pytest.mark.ministack, pytest.mark.timeout(600)]
REFUSED = frozenset({"AccessDenied", "AccessDeniedException"})
WITHOUT_DATA = (
    "AWS::IAM::",
    "AWS::SQS::QueuePolicy",
    "AWS::Events::Rule",
    "AWS::Lambda::",
    "AWS::Logs::",
    "AWS::SNS::",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolGroup",
    "AWS::SES::ConfigurationSet",
    "AWS::S3::BucketPolicy",
)
"""Resource types without data to steal; roles must not have grants on them at all (test_templates)."""


@dataclass(frozen=True)
class StageResource:
    """A deployed resource."""

    stack: str
    kind: str
    id: str


@dataclass(frozen=True)
class DeployedStage:
    """A stage with a session for each service, with the credentials of its process."""

    emulator: Emulator
    names: Names
    sessions: dict[str, boto3.Session]
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, who: str, of: str) -> Any:
        if (who, of) not in self.clients:  # creating a client costs more than all its calls
            once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
            self.clients[who, of] = self.sessions[who].client(of, endpoint_url=self.emulator.endpoint_url, config=once)  # type: ignore[call-overload]
        return self.clients[who, of]

    def resources(self) -> list[StageResource]:
        """Every resource of the stage that contains data."""
        stacks = self.emulator.aws.client("cloudformation")
        return [
            StageResource(name, described["ResourceType"], described["PhysicalResourceId"])
            for name in (STACK, *service_names())
            for described in stacks.describe_stack_resources(StackName=self.names.stack(name))["StackResources"]
            if not described["ResourceType"].startswith(WITHOUT_DATA)
        ]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStage]:
    state: Path = tmp_path_factory.mktemp("enforced")
    with Emulator(state, port=free_port(), enforced=True) as emulator:
        order = Order("least", emulator.endpoint_url, ROOT, ROOT / ".local/deploy", enforced=True)
        sessions = {
            name: boto3.Session(
                each["AWS_ACCESS_KEY_ID"], each["AWS_SECRET_ACCESS_KEY"], each["AWS_SESSION_TOKEN"], region_name=REGION
            )
            for name, each in provision(order).environments.items()
        }
        yield DeployedStage(emulator, Names("least"), sessions)


def is_refused(act: Callable[[], Any]) -> bool:
    """Whether IAM refused a call. Any other error comes from the service itself, after IAM allowed the request."""
    try:
        act()
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSED
    return False


def attempts_on(resource: StageResource) -> tuple[Attempt, ...]:
    if resource.kind == QUEUE and resource.id.endswith("-dlq"):
        return DEAD_LETTERS
    if resource.kind == TABLE and service(resource.stack).table.indexes:
        return (*ATTEMPTS[TABLE], INDEXED)
    return ATTEMPTS[resource.kind]


def test_each_service_reaches_its_own_and_nothing_else(stage: DeployedStage) -> None:
    wrong, tried = [], {"own": 0, "foreign": 0}
    for resource in stage.resources():
        for who in service_names():
            own = who == resource.stack or (resource.stack, resource.kind) == (
                STACK,
                SECRET,
            )  # all sign cursors with it
            for attempt in attempts_on(resource):
                client = stage.client(who, attempt.service)
                may = not is_refused(lambda: attempt.use(client, resource.id))  # noqa: B023  (called at once)
                tried["own" if own else "foreign"] += 1
                if may != (own and attempt.own):
                    wrong.append(f"{who} {'may' if may else 'may not'} {attempt.name} {resource.kind} {resource.id}")
    assert not wrong, "\n".join(wrong)
    assert tried["foreign"] > 5 * tried["own"] > 0


def test_no_service_can_assume_another_role(stage: DeployedStage) -> None:
    account = stage.emulator.aws.client("sts").get_caller_identity()["Account"]
    for who in service_names():
        for other in service_names():
            role = f"arn:aws:iam::{account}:role/{stage.names.stack(other)}-process"
            sts = stage.client(who, "sts")
            assert is_refused(lambda: sts.assume_role(RoleArn=role, RoleSessionName="thief")), f"{who} becomes {other}"  # noqa: B023
        assert is_refused(lambda: stage.client(who, "iam").list_roles())  # noqa: B023


def test_a_service_without_events_may_not_publish(stage: DeployedStage) -> None:
    for who in service_names():
        entry = {
            "EventBusName": stage.names.bus,
            "Source": SOURCE_PREFIX + who,
            "DetailType": "probe",
            "Detail": "{}",
        }
        events = stage.client(who, "events")
        assert is_refused(lambda: events.put_events(Entries=[entry])) == (not service(who).publishes), who  # noqa: B023


def test_a_wrong_secret_and_an_unknown_key_are_refused(stage: DeployedStage) -> None:
    credentials = stage.sessions["tasks"].get_credentials()
    assert credentials
    frozen = credentials.get_frozen_credentials()
    table = stage.names.table("tasks")
    for key, secret, token in (
        (frozen.access_key, "wrong", frozen.token),
        (f"AKIA{'A' * 16}", frozen.secret_key, None),
        (frozen.access_key, frozen.secret_key, None),
    ):
        forged = boto3.Session(key, secret, token, region_name=REGION)
        client = forged.client("dynamodb", endpoint_url=stage.emulator.endpoint_url)
        with pytest.raises(ClientError, match=r"signature|token|security"):
            client.describe_table(TableName=table)


def test_every_type_with_data_is_tried(stage: DeployedStage) -> None:
    kinds = {resource.kind for resource in stage.resources()}
    assert kinds <= ATTEMPTS.keys()
    assert {TABLE, QUEUE, BUS} <= kinds


@pytest.mark.parametrize(
    ("operator", "readable"), [("StringLike", []), ("ForAllValues:StringLike", ["org_1", "org_2"])]
)
def test_leading_keys_are_unknown_to_the_embedded_iam(stage: DeployedStage, operator: str, readable: list[str]) -> None:
    """The reason why there are no sessions for one organization: the embedded IAM cannot prove them (ADR 12).

    Once this test fails, it can.
    """
    table, sts = stage.names.table("tasks"), stage.emulator.aws.client("sts")
    only = {operator: {"dynamodb:LeadingKeys": ["ORG#org_1#*"]}}
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": only}
    account = sts.get_caller_identity()["Account"]
    credentials = sts.assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/{stage.names.stack('tasks')}-process",
        RoleSessionName="org_1",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Credentials"]
    session = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], region_name=REGION
    )
    client = session.client("dynamodb", endpoint_url=stage.emulator.endpoint_url)
    keys = {org: {"PK": {"S": f"ORG#{org}#TASK#1"}, "SK": {"S": "TASK"}} for org in ("org_1", "org_2")}
    reached = [org for org, key in keys.items() if not is_refused(lambda: client.get_item(TableName=table, Key=key))]  # noqa: B023
    assert reached == readable
