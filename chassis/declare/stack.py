"""The types of a service's stack.py, which declares the AWS resources that only this service needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.declare.resource_names import Names

Template = dict[str, Any]


@dataclass(frozen=True)
class StackContext:
    """The target of the stack. `local` is true on the embedded AWS. With `lambdas` the services are functions behind
    the HTTP API whose id is the template's parameter `ApiId`; without it they are processes. `without` are the AWS
    services, by boto3's names, that the target lacks or does not use."""

    names: Names
    service: str
    local: bool
    lambdas: bool = False
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FunctionSpec:
    """A Lambda function that AWS itself calls. `handler` is the import string of `(event, context) -> result`.

    `invoker` is the AWS service that may call it ("cognito-idp.amazonaws.com"), and `invoker_arn` the one resource on
    whose behalf that service may do so (an intrinsic such as {"Fn::GetAtt": ["UserPool", "Arn"]}).
    """

    handler: str
    timeout: int = 15
    environment: Mapping[str, Any] = field(default_factory=dict)
    invoker: str | None = None
    invoker_arn: Any = None


@dataclass(frozen=True)
class StackPart:
    """CloudFormation resources by logical id, its functions, the policy statements that the service's processes need
    for them, and the environment variables by which those processes find them (values may be intrinsics such as {"Ref":
    "Bucket"})."""

    resources: Template = field(default_factory=dict)
    functions: Mapping[str, FunctionSpec] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    statements: tuple[Template, ...] = ()
