"""Restoring a table: refusals before anything is changed, and the calls that the embedded AWS does not validate,
checked against botocore's own description of the services."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from deploy.aws import Aws
from deploy.errors import RefusedError, StackError
from deploy.restore.compare import kind_of
from deploy.restore.recovery import Recovery, parse_time, target_name
from deploy.restore.swap import with_table
from deploy.restore.write_fence import RESUME_TRIES, WRITES, WriteFence
from deploy.stage.change_set import ChangeSet
from deploy.stage.rollout import refuse_change_of_unused_table

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
UUID = "0" * 36
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/tenfold-prod-tasks-20261121T090000Z"
OLD, NEW = "tenfold-prod-tasks", "tenfold-prod-tasks-20261121T090000Z"
PROPERTIES: dict[str, Any] = {
    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "SSESpecification": {"SSEEnabled": True},
    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    "DeletionProtectionEnabled": True,
}


class Stubbed(Aws):
    """Real clients, whose calls must come in this order with these parameters."""

    def __init__(self) -> None:
        super().__init__()
        keys = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        made = {name: boto3.client(name, **keys) for name in ("dynamodb", "lambda", "cloudformation")}  # type: ignore[call-overload]
        object.__setattr__(self, "made", made)
        object.__setattr__(self, "stubs", {name: Stubber(client) for name, client in made.items()})
        for stub in self.stubs.values():
            stub.activate()

    made: dict[str, Any]
    stubs: dict[str, Stubber]

    def client(self, service: str) -> Any:
        return self.made[service]

    def expect(self, service: str, command: str, answer: dict[str, Any], **parameters: Any) -> None:
        self.stubs[service].add_response(command, answer, parameters)

    def done(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def aws() -> Stubbed:
    return Stubbed()


def described(status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    return {"Table": {"TableName": NEW, "TableStatus": status, "TableArn": ARN, **more}}


@pytest.mark.parametrize("text", ["yesterday", "2026-11-21", "2026-11-21T09:00:00"])
def test_a_moment_names_its_zone(text: str) -> None:
    with pytest.raises(RefusedError, match="AT="):
        parse_time(text)


def test_a_moment_is_in_utc() -> None:
    assert parse_time("2026-11-21T10:00:00+01:00") == parse_time("2026-11-21T09:00:00Z") == AT


def test_the_restored_table_takes_the_stacks_own_name_only_if_that_is_free() -> None:
    assert target_name(OLD, AT, lambda _: False) == OLD
    assert target_name(OLD, AT, {OLD}.__contains__) == NEW
    with pytest.raises(RefusedError, match=f"TABLE={NEW}"):
        target_name(OLD, AT, lambda _: True)


def test_a_table_without_recovery_is_refused(aws: Stubbed) -> None:
    off = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    aws.expect("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": off}, TableName=OLD)
    with pytest.raises(RefusedError, match="no point-in-time recovery"):
        Recovery(aws).window(OLD, AT)


def test_a_second_restore_is_refused_while_one_is_under_way(aws: Stubbed) -> None:
    aws.expect("dynamodb", "list_tables", {"TableNames": [OLD, NEW, "tenfold-prod-audit"]})
    aws.expect("dynamodb", "describe_table", described(), TableName=OLD)
    under_way = {"RestoreInProgress": True, "RestoreDateTime": AT}
    aws.expect("dynamodb", "describe_table", described("CREATING", RestoreSummary=under_way), TableName=NEW)
    with pytest.raises(RefusedError, match="is being restored already"):
        Recovery(aws).refuse_second(OLD)
    aws.done()


def test_a_restore_is_encrypted_and_waited_for(aws: Stubbed) -> None:
    override = {"Enabled": True, "SSEType": "KMS"}
    aws.expect(
        "dynamodb",
        "restore_table_to_point_in_time",
        {"TableDescription": {}},
        SourceTableName=OLD,
        TargetTableName=NEW,
        RestoreDateTime=AT,
        SSESpecificationOverride=override,
    )
    for status in ("CREATING", "CREATING", "ACTIVE"):
        aws.expect("dynamodb", "describe_table", described(status), TableName=NEW)
    waits: list[float] = []
    Recovery(aws, waits.append).restore(OLD, NEW, AT, PROPERTIES, lambda _: None)
    assert len(waits) == 2
    aws.done()


def test_a_restore_that_never_ends_is_given_up_with_the_way_to_go_on(
    aws: Stubbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.restore.recovery.RESTORE_SECONDS", 0.1)
    aws.expect(
        "dynamodb",
        "restore_table_to_point_in_time",
        {"TableDescription": {}},
        SourceTableName=OLD,
        TargetTableName=NEW,
        RestoreDateTime=AT,
    )
    for _ in range(3):
        aws.expect("dynamodb", "describe_table", described("CREATING"), TableName=NEW)
    with pytest.raises(StackError, match=f"say TABLE={NEW} once it is ACTIVE"):
        Recovery(aws, lambda _: None).restore(OLD, NEW, AT, {}, lambda _: None)


def test_what_a_restore_loses_is_given_back(aws: Stubbed) -> None:
    """Time to live, recovery, the stream, protection, tags: each by the call and the parameters that DynamoDB knows."""
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    aws.expect("dynamodb", "describe_table", described(), TableName=NEW)
    aws.expect(
        "dynamodb", "describe_time_to_live", {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}, TableName=NEW
    )
    aws.expect(
        "dynamodb",
        "update_time_to_live",
        {},
        TableName=NEW,
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
    )
    aws.expect(
        "dynamodb",
        "update_continuous_backups",
        {},
        TableName=NEW,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    aws.expect("dynamodb", "update_table", {}, TableName=NEW, StreamSpecification=stream)
    aws.expect("dynamodb", "describe_table", described(), TableName=NEW)
    aws.expect("dynamodb", "update_table", {}, TableName=NEW, DeletionProtectionEnabled=True)
    aws.expect("dynamodb", "describe_table", described(), TableName=NEW)
    aws.expect("dynamodb", "tag_resource", {}, ResourceArn=ARN, Tags=[{"Key": "tenfold:service", "Value": "tasks"}])
    Recovery(aws, lambda _: None).reapply(NEW, PROPERTIES, {"tenfold:service": "tasks"}, lambda _: None)
    aws.done()


def mapping(state: str) -> dict[str, Any]:
    return {"UUID": UUID, "State": state}


def test_queues_wait_during_the_swap_and_go_on_after_it_also_when_it_failed(aws: Stubbed) -> None:
    resource = {
        "LogicalResourceId": "S",
        "ResourceType": "AWS::Lambda::EventSourceMapping",
        "PhysicalResourceId": UUID,
        "LastUpdatedTimestamp": AT,
        "ResourceStatus": "CREATE_COMPLETE",
    }
    aws.expect("cloudformation", "list_stack_resources", {"StackResourceSummaries": [resource]}, StackName="stack")
    aws.expect("lambda", "get_event_source_mapping", mapping("Enabled"), UUID=UUID)
    aws.expect("lambda", "update_event_source_mapping", mapping("Disabling"), UUID=UUID, Enabled=False)
    for state in ("Disabling", "Disabled"):
        aws.expect("lambda", "get_event_source_mapping", mapping(state), UUID=UUID)
    aws.expect("lambda", "update_event_source_mapping", mapping("Enabling"), UUID=UUID, Enabled=True)
    waits: list[float] = []
    fence = WriteFence(aws, "stack", waits.append)

    def failing() -> None:
        with fence.pause_consumers() as queues:
            assert queues == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert len(waits) == 1
    aws.done()


def test_every_queue_goes_on_also_when_lambda_refuses_for_a_while(aws: Stubbed) -> None:
    """Left alone, a mapping that is still being changed would keep the ones after it from being read, for good."""
    resource = {
        "LogicalResourceId": "S",
        "ResourceType": "AWS::Lambda::EventSourceMapping",
        "LastUpdatedTimestamp": AT,
        "ResourceStatus": "CREATE_COMPLETE",
    }
    both = [{**resource, "PhysicalResourceId": number * 36} for number in "01"]
    aws.stubs["dynamodb"].add_client_error("delete_resource_policy", "PolicyNotFoundException")
    aws.expect("cloudformation", "list_stack_resources", {"StackResourceSummaries": both}, StackName="stack")
    for number in "01":
        aws.expect("lambda", "get_event_source_mapping", mapping("Disabled"), UUID=number * 36)
    for _ in range(RESUME_TRIES):
        aws.stubs["lambda"].add_client_error("update_event_source_mapping", "ResourceInUseException")
    aws.stubs["lambda"].add_client_error("update_event_source_mapping", "ResourceInUseException")
    aws.expect("lambda", "update_event_source_mapping", mapping("Enabling"), UUID="1" * 36, Enabled=True)
    waits: list[float] = []
    with pytest.raises(StackError, match="ResourceInUse"):
        WriteFence(aws, "stack", waits.append).lift(ARN)
    assert len(waits) == RESUME_TRIES
    aws.done()


def test_the_old_table_takes_no_writes_from_anybody(aws: Stubbed) -> None:
    aws.expect("dynamodb", "put_resource_policy", {}, ResourceArn=ARN, Policy=ANY)
    aws.stubs["dynamodb"].add_client_error("delete_resource_policy", "PolicyNotFoundException")
    sent: list[Any] = []
    aws.made["dynamodb"].meta.events.register(
        "provide-client-params.dynamodb.PutResourcePolicy", lambda params, **_: sent.append(params)
    )
    fence = WriteFence(aws, "stack")
    fence.close(ARN)
    fence.open(ARN)
    [statement] = json.loads(sent[0]["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Resource"]) == ("Deny", "*", ARN)
    assert statement["Action"] == WRITES
    aws.done()


def test_functions_get_new_versions_and_are_shifted_at_once() -> None:
    """A version keeps the variables it was published with: with the old one the alias would go on to the old table."""
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Api"}}}
    alias = {
        "Type": "AWS::Lambda::Alias",
        "Properties": {"FunctionVersion": {"Fn::GetAtt": ["ApiVersion12ab", "Version"]}},
        "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": {}},
    }
    body = {"Resources": {"ApiVersion12ab": version, "ApiAlias": alias}}
    one, other = with_table(body, NEW), with_table(body, OLD)
    [name] = [key for key, each in one["Resources"].items() if each["Type"] == "AWS::Lambda::Version"]
    assert name.startswith("ApiVersion12abT")
    assert name not in other["Resources"]
    assert one["Resources"]["ApiAlias"]["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [name, "Version"]}
    assert "UpdatePolicy" not in one["Resources"]["ApiAlias"]


def test_a_table_that_is_not_used_is_not_changed() -> None:
    planned = ChangeSet("stack", "name", False, ({"LogicalResourceId": "Table", "Action": "Modify"},))
    template = {"Resources": {"Table": {"Properties": {"TableName": OLD}}}}
    refuse_change_of_unused_table(planned, template, {"TableName": OLD})
    with pytest.raises(RefusedError, match="since a restore"):
        refuse_change_of_unused_table(planned, template, {"TableName": NEW})


def test_items_are_counted_by_kind() -> None:
    keys = ["ORG#org_1#TASK#task_1 A", "USER#user_1#ACCOUNT PROFILE", "INBOX#tasks.members#1 A", "OUTBOX#3 01"]
    assert [kind_of(key) for key in keys] == ["TASK", "ACCOUNT", "INBOX", "OUTBOX"]


def test_a_time_outside_of_the_window_is_refused() -> None:
    from deploy.restore.recovery import RecoveryWindow

    window = RecoveryWindow(AT - timedelta(days=35), AT - timedelta(minutes=5))
    for at, said in (
        (AT + timedelta(seconds=1), "in the future"),
        (AT - timedelta(minutes=1), "2026-11-21T08:55:00Z"),
        (AT - timedelta(days=36), "from 2026-10-17T09:00:00Z"),
    ):
        with pytest.raises(RefusedError, match=said):
            window.refuse_outside(at, AT, OLD)
    window.refuse_outside(AT - timedelta(hours=1), AT, OLD)
