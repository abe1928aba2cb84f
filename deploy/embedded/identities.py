"""Identities of the services on an embedded AWS that enforces IAM: a role each, with the policies of its stack.

Its IAM evaluates actions, resources, session and resource policies like AWS, checks signatures, and gives a function
the role of its template. It differs from AWS in `_SEEN_AS`, `_UNKNOWN_KEYS` and `_BATCHES`. For these the deployed
policies are translated, and become that much wider than on AWS; verification/privileges tests the policies as they are
written.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from deploy.aws import Aws
from deploy.errors import EmulatorError

Document = dict[str, Any]
SESSION_SECONDS = 12 * 3600
"""The longest session of AWS. Nothing renews the credentials of a process: it must be restarted after that."""
ROLE_SUFFIX = "process"

_SEEN_AS = {
    "ssm:GetParameters": "*",
    "ses:SendEmail": "*",
    # It takes the name of the bus for that of a rule.
    "events:DescribeEventBus": "arn:aws:events:*:*:rule/default/{name}",
}
"""Actions that it checks on another resource than AWS does."""
_UNKNOWN_KEYS = ("events:source", "ses:FromAddress", "kms:EncryptionContext:")
"""Condition keys (or their beginnings) that its requests do not have, so such a statement would never apply."""
_BATCHES = {"sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage"}
"""It checks the name of the operation (DeleteMessageBatch), which is not an action on AWS."""


def translate(document: Document) -> Document:
    """The policy translated for the embedded IAM."""
    statements = [each for statement in document["Statement"] for each in _translate_statement(statement)]
    return {**document, "Statement": statements}


def _translate_statement(statement: Document) -> list[Document]:
    actions = _as_list(statement["Action"])
    unchanged = [action for action in actions if action not in _SEEN_AS]
    unchanged += [f"{a}Batch" for a in unchanged if a in _BATCHES and f"{a}Batch" not in unchanged]
    plain = {key: value for key, value in statement.items() if key != "Condition"}
    conditions = {
        operator: known
        for operator, tests in statement.get("Condition", {}).items()
        if (known := {key: value for key, value in tests.items() if not key.startswith(_UNKNOWN_KEYS)})
    }
    if conditions:
        plain["Condition"] = conditions
    statements = [{**plain, "Action": unchanged}] if unchanged else []
    for action in actions:
        if action in _SEEN_AS:
            names = {str(resource).rpartition("/")[2] for resource in _as_list(statement["Resource"])}
            resources = [_SEEN_AS[action].format(name=name) for name in names]
            statements.append({**plain, "Action": [action], "Resource": resources})
    return statements


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def translate_policies(aws: Aws, stack: str) -> None:
    """Translate every policy that a deployed stack gives to our roles. The first version of a managed policy stays as
    the stack made it. Raises EmulatorError if the embedded AWS refuses."""
    iam = aws.client("iam")
    try:
        resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        for resource in resources:
            kind, name = resource["ResourceType"], resource["PhysicalResourceId"]
            if kind == "AWS::IAM::ManagedPolicy":
                version = iam.get_policy(PolicyArn=name)["Policy"]["DefaultVersionId"]
                document = iam.get_policy_version(PolicyArn=name, VersionId=version)["PolicyVersion"]["Document"]
                if (translated := translate(document)) != document:
                    iam.create_policy_version(PolicyArn=name, PolicyDocument=json.dumps(translated), SetAsDefault=True)
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"] if kind == "AWS::IAM::Role" else ():
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(translate(document)))
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the policies of {stack}: {error}") from error


def process_policies(outputs: Mapping[str, str]) -> list[str]:
    """The ARNs of the managed policies of a service's processes, from the outputs of its stack."""
    return [outputs["DataPolicyArn"], outputs["ProcessPolicyArn"]]


def process_credentials(aws: Aws, names: Names, service: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """The variables that give a service's process the identity of the service, for SESSION_SECONDS. `outputs` are those
    of the service's stack. Raises EmulatorError if the embedded AWS refuses.
    """
    iam, sts, role = aws.client("iam"), aws.client("sts"), f"{names.stack(service)}-{ROLE_SUFFIX}"
    policies = process_policies(outputs)
    try:
        owner = {"AWS": f"arn:aws:iam::{sts.get_caller_identity()['Account']}:root"}
        trust = {"Effect": "Allow", "Principal": owner, "Action": "sts:AssumeRole"}
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(
                RoleName=role,
                MaxSessionDuration=SESSION_SECONDS,
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            )
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        for policy in policies:
            iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        credentials = sts.assume_role(RoleArn=arn, RoleSessionName=service, DurationSeconds=SESSION_SECONDS)[
            "Credentials"
        ]
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS gives {service} no role: {error}") from error
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
