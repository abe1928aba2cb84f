"""Rules for every template of every service on AWS, whatever it declares."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.services import service_names
from deploy.stage.stage import synthesize
from deploy.template import Target, Template
from deploy.template.base import Canary

TARGETS = {
    "functions": Target("prod", lambdas=True, aliases=True, snapstart=True, canary=Canary()),
    "processes": Target("prod"),
}
PLANS = {name: synthesize(target) for name, target in TARGETS.items()}
ALL = [(runtime, stack) for runtime, plan in PLANS.items() for stack in plan.templates]
STORES = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::Cognito::UserPool"}
WITHOUT_RESOURCES = {
    "xray:PutTelemetryRecords": "X-Ray knows no resources",
    "xray:PutTraceSegments": "X-Ray knows no resources",
}
"""Actions that may be allowed on everything, and why."""
every_template = pytest.mark.parametrize(("runtime", "stack"), ALL)


def template_of(runtime: str, stack: str) -> Template:
    return PLANS[runtime].templates[stack]


def of(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Logical id, resource and properties of each resource of one kind."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource, resource.get("Properties", {})


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows a role of ours something (trust and resource policies name their callers instead)."""
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
        for name, _, found in of(template, kind):
            documents = [found["PolicyDocument"]] if "PolicyDocument" in found else []
            documents += [one["PolicyDocument"] for one in found.get("Policies", ())]
            for document in documents:
                yield from ((name, statement) for statement in document["Statement"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_service_is_looked_at() -> None:
    assert {stack for _, stack in ALL} == {"platform", *service_names()}


@every_template
def test_no_action_and_no_resource_is_a_wildcard(runtime: str, stack: str) -> None:
    for name, statement in statements(template_of(runtime, stack)):
        actions = listed(statement["Action"])
        assert not [action for action in actions if "*" in action], name
        if "*" in listed(statement["Resource"]):
            assert set(actions) <= WITHOUT_RESOURCES.keys(), f"{name} may do {actions} to everything"


@every_template
def test_every_store_says_what_becomes_of_it(runtime: str, stack: str) -> None:
    for name, resource in template_of(runtime, stack)["Resources"].items():
        if resource["Type"] in STORES:
            assert {"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys(), name


@every_template
def test_tables_are_encrypted_recoverable_and_protected(runtime: str, stack: str) -> None:
    for name, resource, table in of(template_of(runtime, stack), "AWS::DynamoDB::Table"):
        assert table["SSESpecification"]["SSEEnabled"], name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert table["DeletionProtectionEnabled"], name
        assert table["TimeToLiveSpecification"]["Enabled"], name
        assert table["StreamSpecification"]["StreamViewType"], name
        assert resource["UpdateReplacePolicy"] == "Retain", name


@every_template
def test_buckets_are_encrypted_and_closed(runtime: str, stack: str) -> None:
    for name, _, bucket in of(template_of(runtime, stack), "AWS::S3::Bucket"):
        assert "BucketEncryption" in bucket, name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name


@every_template
def test_queues_are_encrypted_and_give_up_into_a_queue_that_rings(runtime: str, stack: str) -> None:
    template = template_of(runtime, stack)
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for _, _, alarm in of(template, "AWS::CloudWatch::Alarm")
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "QueueName"
    }
    for name, _, queue in of(template, "AWS::SQS::Queue"):
        assert queue["SqsManagedSseEnabled"], name
        assert "RedrivePolicy" in queue or name.endswith("DeadLetters"), name
        assert name in watched, f"nobody is told of {name}"


@every_template
def test_every_target_has_a_dead_letter_queue(runtime: str, stack: str) -> None:
    template = template_of(runtime, stack)
    for name, _, rule in of(template, "AWS::Events::Rule"):
        assert all("DeadLetterConfig" in target for target in rule["Targets"]), name
    for name, _, schedule in of(template, "AWS::Scheduler::Schedule"):
        assert "DeadLetterConfig" in schedule["Target"], name


@every_template
def test_every_function_has_its_own_logs_kept_for_a_while_and_is_traced(runtime: str, stack: str) -> None:
    template = template_of(runtime, stack)
    kept = {group["LogGroupName"] for _, _, group in of(template, "AWS::Logs::LogGroup") if group["RetentionInDays"]}
    assert len(kept) == len(list(of(template, "AWS::Logs::LogGroup")))
    for name, _, function in of(template, "AWS::Lambda::Function"):
        assert f"/aws/lambda/{function['FunctionName']}" in kept, name
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}, name


@every_template
def test_nobody_may_call_a_function_on_everybodys_behalf(runtime: str, stack: str) -> None:
    for name, _, permission in of(template_of(runtime, stack), "AWS::Lambda::Permission"):
        assert permission["Principal"].endswith(".amazonaws.com"), name
        assert permission["SourceArn"], name


@every_template
def test_every_alarm_reaches_somebody(runtime: str, stack: str) -> None:
    for name, _, alarm in of(template_of(runtime, stack), "AWS::CloudWatch::Alarm"):
        assert "prod-alarms" in str(alarm["AlarmActions"]), name


@pytest.mark.parametrize("stack", PLANS["functions"].services)
def test_every_guarded_route_asks_for_a_token(stack: str) -> None:
    from chassis.declare.service import service
    from deploy.template.routes import declared_routes

    template = template_of("functions", stack)
    open_routes = {f"{one.method} {one.path}" for one in declared_routes(service(stack)) if not one.guarded}
    for name, _, route in of(template, "AWS::ApiGatewayV2::Route"):
        key = route["RouteKey"]
        # What a browser asks beforehand carries no token, and is answered before anything is read.
        assert (route["AuthorizationType"] == "NONE") == (key in open_routes or key.startswith("OPTIONS ")), name
    public = {"/v1/auth/", "/v1/invitations/"}
    assert all(any(prefix in one for prefix in public) for one in open_routes), open_routes
