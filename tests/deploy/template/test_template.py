from pathlib import Path
from typing import Any

import pytest

from chassis.declare.service import Service
from chassis.declare.stack import StackPart
from deploy.errors import TemplateError
from deploy.template import (
    Target,
    Template,
    env_output,
    environment_variables_of,
    platform_template,
    render,
    service_template,
)
from deploy.template.base import merge
from deploy.template.functions import lambda_handler
from deploy.template.lint import lint


@pytest.fixture
def template(demo: Service, target: Target) -> Template:
    return service_template(demo, target)


def properties(template: Template, logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return found


def test_the_table_has_its_keys_its_indexes_and_its_safeguards(template: Template) -> None:
    table = properties(template, "Table")
    assert table["TableName"] == "tenfold-test-demo"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["list1", "list2"]
    assert [key["AttributeName"] for key in table["GlobalSecondaryIndexes"][1]["KeySchema"]] == ["L2PK", "L2SK"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert template["Resources"]["Table"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_subscription_is_a_queue_its_dead_letters_a_rule_and_its_permission(template: Template) -> None:
    queue, rule = properties(template, "ThingsQueue"), properties(template, "ThingsRule")
    assert queue["QueueName"] == "tenfold-test-demo-things"
    assert queue["VisibilityTimeout"] == 30
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["ThingsDeadLetters", "Arn"]},
        "maxReceiveCount": 4,
    }
    assert properties(template, "ThingsDeadLetters")["MessageRetentionPeriod"] == 14 * 86400
    assert rule["EventBusName"] == "tenfold-test"
    assert rule["EventPattern"] == {
        "source": ["tenfold.demo"],
        "detail-type": ["demo.thing.happened.v1"],
        "replay-name": [{"exists": False}],
    }
    assert rule["Targets"][0]["SqsParameters"] == {"MessageGroupId": "$.detail.orgid"}
    assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["ThingsDeadLetters", "Arn"]}}
    statement = properties(template, "ThingsQueuePolicy")["PolicyDocument"]["Statement"][0]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["ThingsRule", "Arn"]}}}


def test_events_of_aws_come_from_the_default_bus(template: Template) -> None:
    rule = properties(template, "UploadsRule")
    assert "EventBusName" not in rule
    assert rule["EventPattern"]["detail"] == {"bucket": {"name": [{"Ref": "Uploads"}]}}
    assert "SqsParameters" not in rule["Targets"][0]


def test_a_function_has_a_role_kept_logs_and_one_caller(template: Template) -> None:
    function = properties(template, "PreToken")
    assert function["Handler"] == "services.demo.triggers.pre_token"
    assert function["Environment"]["Variables"]["TENFOLD_SERVICE"] == "demo"
    assert properties(template, "PreTokenLogs")["RetentionInDays"] == 30
    permission = properties(template, "PreTokenInvoke")
    assert permission["Principal"] == "cognito-idp.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["Pool", "Arn"]}
    assert set(template["Parameters"]) == {"CodeBucket", "CodeKey", "TableName"}


def test_permissions_name_only_what_is_its_own(template: Template) -> None:
    data = properties(template, "DataPolicy")["PolicyDocument"]["Statement"]
    process = properties(template, "ProcessPolicy")["PolicyDocument"]["Statement"]
    for statement in [*data, *process]:
        assert "*" not in str(statement["Action"])
        assert statement["Resource"] != "*"
    publish = next(one for one in data if one["Action"] == ["events:PutEvents"])
    assert publish["Condition"] == {"StringEquals": {"events:source": "tenfold.demo"}}


def test_a_service_without_events_may_not_publish(demo: Service, target: Target) -> None:
    quiet = Service("quiet", api=demo.api, table=demo.table)
    template = service_template(quiet, target)
    assert "PutEvents" not in render(template)
    assert set(template["Parameters"]) == {"TableName"}


def test_outputs_carry_the_environment(template: Template) -> None:
    outputs = {key: str(value) for key, value in template["Outputs"].items()}
    assert set(environment_variables_of(outputs)) == {
        "TENFOLD_TABLE",
        "UPLOADS_BUCKET",
        "USER_POOL_ID",
        "USER_POOL_CLIENT_ID",
    }


@pytest.mark.parametrize("name", ["A", "UPLOADS_BUCKET", "S3_URL", "A1_B2_C"])
def test_a_variable_survives_its_output(name: str) -> None:
    assert environment_variables_of({env_output(name): "value", "TableName": "other"}) == {name: "value"}


@pytest.mark.parametrize("name", ["", "lower", "A__B", "A_1", "_A"])
def test_a_variable_that_would_not_survive_is_refused(name: str) -> None:
    with pytest.raises(TemplateError, match="UPPER_CASE"):
        env_output(name)


def test_the_same_declaration_gives_the_same_text(demo: Service, target: Target) -> None:
    assert render(service_template(demo, target)) == render(service_template(demo, target))


def test_two_resources_of_one_name_are_refused() -> None:
    with pytest.raises(TemplateError, match="Table is used twice"):
        merge({"Table": {}}, StackPart(resources={"Table": {}}).resources, "stack.py")


def test_a_handler_must_be_an_import_string() -> None:
    with pytest.raises(TemplateError, match=r"package\.module:function"):
        lambda_handler("services.demo.triggers.pre_token")


def test_cfn_lint_finds_the_templates_clean(demo: Service, cache: Path) -> None:
    target = Target("prod")
    templates = {"platform": platform_template(target), "demo": service_template(demo, target)}
    lint({name: render(template) for name, template in templates.items()}, cache / "cfn-lint", region="eu-central-1")


def test_what_cfn_lint_finds_is_said_and_not_remembered(tmp_path: Path) -> None:
    broken = render({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}}})
    with pytest.raises(TemplateError, match=r"broken: E3002 .*Colour.* at Resources.Queue.Properties.Colour"):
        lint({"broken": broken}, tmp_path, region="us-east-1")
    assert list(tmp_path.iterdir()) == []
