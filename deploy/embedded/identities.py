"""Who the services are on an embedded AWS that enforces IAM: each the role that its stack's policies make.

Its IAM evaluates actions, resources, session and resource policies as AWS does, checks signatures, and gives a function
the role of its template. It differs from AWS in what stands in `_SEEN_AS`, `_UNKNOWN_KEYS` and `_BATCHES`. There the
deployed policies are put into its words, wider than they are on AWS by as much; verification/privileges asserts on the
policies as they are written.
"""

import json
from typing import Any

from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from deploy.stage.aws import Aws
from deploy.stage.errors import EmulatorError
from deploy.stage.stacks import Stacks

Document = dict[str, Any]
SESSION_SECONDS = 12 * 3600
"""The longest that AWS has. Nothing renews the credentials of a process: it is started anew after that."""
ROLE_SUFFIX = "process"

_SEEN_AS = {
    "ssm:GetParameters": "*",
    "ses:SendEmail": "*",
    # It takes the name of the bus for a rule's.
    "events:DescribeEventBus": "arn:aws:events:*:*:rule/default/{name}",
}
"""Actions that it does not ask of the resource that AWS asks them of."""
_UNKNOWN_KEYS = ("events:source", "ses:FromAddress", "kms:EncryptionContext:")
"""Condition keys (or their beginnings) that its requests don't carry, so that such a statement never applies."""
_BATCHES = {"sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage"}
"""It asks for the operation's name (DeleteMessageBatch), which is no action on AWS."""


def translated(document: Document) -> Document:
    """The same policy in the words of the embedded IAM."""
    return {**document, "Statement": [one for said in document["Statement"] for one in _translated(said)]}


def _translated(statement: Document) -> list[Document]:
    actions = _listed(statement["Action"])
    kept = [action for action in actions if action not in _SEEN_AS]
    kept += [f"{action}Batch" for action in kept if action in _BATCHES and f"{action}Batch" not in kept]
    plain = _without_unknown_keys(statement)
    made = [{**plain, "Action": kept}] if kept else []
    for action in actions:
        if action in _SEEN_AS:
            names = {str(resource).rpartition("/")[2] for resource in _listed(statement["Resource"])}
            made.append({**plain, "Action": [action], "Resource": [_SEEN_AS[action].format(name=n) for n in names]})
    return made


def _without_unknown_keys(statement: Document) -> Document:
    conditions = {
        operator: kept
        for operator, tests in statement.get("Condition", {}).items()
        if (kept := {key: value for key, value in tests.items() if not key.startswith(_UNKNOWN_KEYS)})
    }
    rest = {key: value for key, value in statement.items() if key != "Condition"}
    return {**rest, "Condition": conditions} if conditions else rest


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def translate_policies(aws: Aws, stack: str) -> None:
    """Put every policy that a deployed stack gives to roles of ours into the words of the embedded IAM. The first
    version of a managed policy stays as the stack made it. Raises EmulatorError if it refuses."""
    try:
        resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        for one in resources:
            if one["ResourceType"] == "AWS::IAM::ManagedPolicy":
                _translate_managed(aws.client("iam"), one["PhysicalResourceId"])
            elif one["ResourceType"] == "AWS::IAM::Role":
                _translate_inline(aws.client("iam"), one["PhysicalResourceId"])
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the policies of {stack}: {error}") from error


def _translate_managed(iam: Any, policy: str) -> None:
    current = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=policy, VersionId=current)["PolicyVersion"]["Document"]
    if (wanted := translated(found)) != found:
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(wanted), SetAsDefault=True)


def _translate_inline(iam: Any, role: str) -> None:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(translated(found)))


def process_policies(aws: Aws, names: Names, service: str) -> list[str]:
    """The ARNs of the managed policies that a service's processes have. Raises StackError."""
    outputs = Stacks(aws).outputs(names.stack(service))
    return [outputs["DataPolicyArn"], outputs["ProcessPolicyArn"]]


def process_credentials(aws: Aws, names: Names, service: str) -> dict[str, str]:
    """The variables with which a service's process is the service, and nobody else, for SESSION_SECONDS.

    Raises EmulatorError if the embedded AWS refuses, StackError if the service is not deployed.
    """
    iam, role = aws.client("iam"), f"{names.stack(service)}-{ROLE_SUFFIX}"
    policies = process_policies(aws, names, service)
    try:
        arn = _role(aws, role)
        for policy in policies:
            iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        given = aws.client("sts").assume_role(
            RoleArn=arn, RoleSessionName=service, DurationSeconds=SESSION_SECONDS
        )["Credentials"]  # fmt: skip
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS gives {service} no role: {error}") from error
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _role(aws: Aws, name: str) -> str:
    iam, account = aws.client("iam"), aws.client("sts").get_caller_identity()["Account"]
    owner = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = {"Effect": "Allow", "Principal": owner, "Action": "sts:AssumeRole"}
    try:
        made = iam.create_role(
            RoleName=name, MaxSessionDuration=SESSION_SECONDS,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )  # fmt: skip
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=name)
    return str(made["Role"]["Arn"])
