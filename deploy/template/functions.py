"""Lambda functions, each with its role, its log group and, where the target wants it, its alias."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.declare.service import Service
from chassis.declare.stack import FunctionSpec
from deploy.errors import TemplateError
from deploy.template.base import Target, Template, arn, ref
from deploy.template.policies import DATA_POLICY
from deploy.template.shifting import shifting
from deploy.template.table import TABLE_PARAMETER

CODE_PARAMETERS: Template = {
    "CodeBucket": {"Type": "String", "Description": "The bucket of the package"},
    "CodeKey": {"Type": "String", "Description": "Its key, which carries its hash"},
}
LOG_DAYS = 30
MEMORY = 512
MAX_NAME = 64
TRACE = {
    "Effect": "Allow",
    "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "Resource": "*",  # X-Ray has no resources to name
}


@dataclass(frozen=True)
class Function:
    """One function. `handler` is in Lambda's spelling; `policies` are the logical ids of managed policies; `statements`
    are permissions of this function only."""

    logical_id: str
    handler: str
    timeout: int
    environment: Mapping[str, Any] = field(default_factory=dict)
    policies: tuple[str, ...] = (DATA_POLICY,)
    statements: Sequence[Template] = ()
    memory: int = MEMORY

    def name(self, service: Service, target: Target) -> str:
        """Raises TemplateError if AWS would refuse it."""
        name = f"{target.names.stack(service.name)}-{self.logical_id}"
        if len(name) > MAX_NAME:
            raise TemplateError(f"function name {name} has {len(name)} characters and AWS allows {MAX_NAME}; shorten")
        return name


def callee_of(function: Function, target: Target) -> Template:
    """The callee for callers of a function: its alias, or the function itself."""
    return ref(f"{function.logical_id}Alias") if target.aliases else arn(function.logical_id)


def trigger(service: Service, logical_id: str, spec: FunctionSpec, target: Target) -> Template:
    """A function that AWS itself calls, and the permission of its caller.

    Raises TemplateError for a handler that is not an import string.
    """
    definition = Function(logical_id, lambda_handler(spec.handler), spec.timeout, spec.environment)
    # Without an alias, because the calling resource names the function; such functions are small and change rarely.
    resources = _plain(service, definition, target)
    if spec.invoker:
        resources[f"{logical_id}Invoke"] = permission(arn(logical_id), spec.invoker, spec.invoker_arn)
    return resources


def function(service: Service, definition: Function, target: Target, code: str) -> Template:
    """A function, its role and its log group; with aliases also a version. Its logical id contains a hash of the
    function and of `code`, the package's key, because a version never changes."""
    resources = _plain(service, definition, target)
    if target.snapstart:
        resources[definition.logical_id]["Properties"]["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    if target.aliases:
        contents = json.dumps([code, resources[definition.logical_id]], sort_keys=True)
        digest = hashlib.sha256(contents.encode()).hexdigest()[:12]
        resources |= shifting(definition.logical_id, f"{definition.logical_id}Version{digest}", target)
    return resources


def _plain(service: Service, definition: Function, target: Target) -> Template:
    name, logs = definition.name(service, target), f"{definition.logical_id}Logs"
    variables = {
        "TENFOLD_STAGE": target.stage,
        "TENFOLD_SERVICE": service.name,
        "TENFOLD_TABLE": ref(TABLE_PARAMETER),
        **dict(target.settings),
        **dict(target.environment),
    }
    properties: Template = {
        "FunctionName": name,
        "Runtime": target.runtime,
        "Architectures": [target.architecture],
        "Handler": definition.handler,
        "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": ref("CodeKey")},
        "Role": arn(f"{definition.logical_id}Role"),
        "Timeout": definition.timeout,
        "MemorySize": definition.memory,
        "Environment": {"Variables": variables | dict(definition.environment)},
    }
    if not target.local:
        properties["TracingConfig"] = {"Mode": "Active"}
    return {
        logs: {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": LOG_DAYS},
        },
        f"{definition.logical_id}Role": _role(definition, target),
        definition.logical_id: {"Type": "AWS::Lambda::Function", "DependsOn": [logs], "Properties": properties},
    }


def lambda_handler(path: str) -> str:
    """`services.identity.triggers.usecases:add_claims` in Lambda's spelling, with a dot for the colon."""
    module, colon, name = path.partition(":")
    if not (module and colon and name.isidentifier()):
        raise TemplateError(f"handler {path!r} must be written package.module:function")
    return f"{module}.{name}"


def _role(definition: Function, target: Target) -> Template:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    log = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": arn(f"{definition.logical_id}Logs"),
    }
    own = [log, *([] if target.local else [TRACE]), *definition.statements]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "ManagedPolicyArns": [ref(policy) for policy in definition.policies],
            "Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": own}}],
        },
    }


def permission(function_name: Template, invoker: str, invoker_arn: Any = None) -> Template:
    """The permission to call a function: for the AWS service `invoker`, on behalf of `invoker_arn` only."""
    properties: Template = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": function_name,
        "Principal": invoker,
    }
    if invoker_arn is not None:
        properties["SourceArn"] = invoker_arn
    return {"Type": "AWS::Lambda::Permission", "Properties": properties}
