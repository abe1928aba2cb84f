"""By the templates alone: no role reaches resources of another service, whatever its service declares."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from contracts.event import SOURCE_PREFIX
from deploy.services import service_names
from deploy.stage.stage import synthesize
from deploy.template import Target
from deploy.template.shared import STACK
from verification.privileges.policy import Grant, Request, is_allowed, like
from verification.privileges.roles import Resource, Role, TemplateStage

STAGES = {
    "processes": TemplateStage(synthesize(Target("prod"))),
    "functions": TemplateStage(synthesize(Target("prod", lambdas=True, aliases=True))),
}
ROLES = [pytest.param(stage, role, id=f"{kind}-{role}") for kind, stage in STAGES.items() for role in stage.roles]
every_role = pytest.mark.parametrize(("stage", "role"), ROLES)
WITHOUT_RESOURCES = "xray:"
"""The one AWS service whose actions have no resources; tests/deploy/test_policies has the list."""
AUTH_PATH = "parameter/tenfold/prod/auth/"
CURSORS = Target("prod").names.cursor_secret
CONTEXT = {"kms:EncryptionContext:tenfold:org": "org_1", "kms:EncryptionContext:tenfold:purpose": "credential"}


def resources_of(stage: TemplateStage, grant: Grant) -> list[Resource]:
    """The resources that a grant covers: themselves, the indexes of a table, the objects of a bucket."""
    pattern = like(grant.resource)
    return [
        each
        for each in stage.resources
        if any(pattern.fullmatch(each.arn + part) for part in ("", "/index/list1", "/org_1/an/object"))
    ]


def foreign(stage: TemplateStage, role: Role) -> Iterator[str]:
    """Each grant that covers a resource of another stack, or none at all."""
    for grant in role.grants:
        if grant.resource == "*" and grant.action.startswith(WITHOUT_RESOURCES):
            continue
        covered = resources_of(stage, grant)
        shared = _is_shared(grant, role)
        if not covered and not shared:
            yield f"{grant.action} on {grant.resource}, which does not exist"
        yield from (
            f"{grant.action} on {each.arn} of {each.stack}"
            for each in covered
            if each.stack != role.stack and not shared
        )


def _is_shared(grant: Grant, role: Role) -> bool:
    """Whether all services have this grant: publishing as themselves, parameters of the issuer, the cursor key."""
    match grant.action:
        case "events:PutEvents":
            return grant.conditions == (("StringEquals", "events:source", (SOURCE_PREFIX + role.stack,)),)
        case "events:DescribeEventBus":
            return True
        case "ssm:GetParameters":
            return grant.resource.split(":")[-1].startswith(AUTH_PATH)
        case "secretsmanager:GetSecretValue":
            return grant.resource.split(":")[-1] == f"{CURSORS}-??????"
    return False


@every_role
def test_a_role_reaches_its_own_services_resources_only(stage: TemplateStage, role: Role) -> None:
    assert not list(foreign(stage, role))


def test_a_planted_grant_is_found() -> None:
    stage = STAGES["processes"]
    role = next(role for role in stage.roles if role.stack == "tasks")
    (table,) = stage.of("files", "AWS::DynamoDB::Table")
    planted = [
        Grant("dynamodb:GetItem", table.arn),
        Grant("dynamodb:Query", table.arn.replace("files", "*")),
        Grant("events:PutEvents", "*"),
        Grant("ssm:GetParameters", "arn:aws:ssm:*:*:parameter/tenfold/*"),
        Grant("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:000000000000:none"),
    ]
    for grant in planted:
        assert list(foreign(stage, replace(role, grants=(grant,)))), grant


@pytest.mark.parametrize("kind", STAGES)
def test_every_service_has_roles(kind: str) -> None:
    assert {role.stack for role in STAGES[kind].roles} == set(service_names())


@every_role
def test_no_service_publishes_as_another(stage: TemplateStage, role: Role) -> None:
    (bus,) = stage.of(STACK, "AWS::Events::EventBus")
    names = {
        name
        for name in [*service_names(), "aws.s3"]
        if is_allowed(
            role.grants, Request("events:PutEvents", bus.arn).with_context({"events:source": SOURCE_PREFIX + name})
        )
    }
    assert names <= {role.stack}
    assert not is_allowed(role.grants, Request("events:PutEvents", bus.arn))


@every_role
def test_a_vault_key_decrypts_in_a_context_only(stage: TemplateStage, role: Role) -> None:
    for key in (each for each in stage.resources if each.type == "AWS::KMS::Key"):
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            request = Request(action, key.arn)
            assert not is_allowed(role.grants, request)
            for missing in CONTEXT:
                some: Mapping[str, str] = {name: value for name, value in CONTEXT.items() if name != missing}
                assert not is_allowed(role.grants, request.with_context(some))
            if key.stack != role.stack:
                assert not is_allowed(role.grants, request.with_context(CONTEXT))


@every_role
def test_mail_is_sent_from_the_one_address(stage: TemplateStage, role: Role) -> None:
    for sender in (each for each in stage.resources if each.type == "AWS::SES::EmailIdentity"):
        request = Request("ses:SendEmail", sender.arn)
        assert not is_allowed(role.grants, request.with_context({"ses:FromAddress": f"ceo@{sender.name}"}))


@pytest.mark.parametrize("role", [pytest.param(role, id=str(role)) for role in STAGES["functions"].roles])
def test_a_consumer_reads_its_own_queue_only(role: Role) -> None:
    """The API, the schedules and the triggers read no queue."""
    read = {grant.resource for grant in role.grants if grant.action == "sqs:ReceiveMessage"}
    assert len(read) == (1 if role.name.endswith("ConsumerRole") else 0)


@every_role
def test_no_role_reads_whole_tables_or_administers_anything(stage: TemplateStage, role: Role) -> None:
    wanted = {"dynamodb:Scan", "dynamodb:PartiQLSelect", "sqs:PurgeQueue", "s3:PutBucketPolicy", "events:StartReplay"}
    assert not wanted & {grant.action for grant in role.grants}
    administering = ("Create", "Put", "Update", "Delete", "Attach", "Tag", "Set", "Admin")
    data = {
        "cognito-idp:AdminGetUser",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "events:PutEvents",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:DeleteObjectVersion",
        "s3:PutObject",
        "sqs:DeleteMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    acts = {grant.action for grant in role.grants if grant.action.partition(":")[2].startswith(administering)}
    assert acts <= data
