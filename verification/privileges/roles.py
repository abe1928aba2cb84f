"""The roles and the resources in the templates of a stage, resolved without AWS."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.aws import REGION
from deploy.stage.stage import DeploymentPlan
from deploy.template import Template
from deploy.template.policies import DATA_POLICY, PROCESS_POLICY
from verification.privileges.calls import ACCOUNT, SECRET_ENDING
from verification.privileges.policy import Grant, grants

PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
_REFERENCE = re.compile(r"\$\{([^}]+)\}")
_HERE = f"{REGION}:{ACCOUNT}"
ARNS = {
    "AWS::DynamoDB::Table": ("TableName", f"arn:aws:dynamodb:{_HERE}:table/{{}}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{_HERE}:{{}}"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::KMS::Key": ("KeyId", f"arn:aws:kms:{_HERE}:key/{{}}"),
    "AWS::SecretsManager::Secret": ("Name", f"arn:aws:secretsmanager:{_HERE}:secret:{{}}{SECRET_ENDING}"),
    "AWS::Cognito::UserPool": ("PoolId", f"arn:aws:cognito-idp:{_HERE}:userpool/{{}}"),
    "AWS::SSM::Parameter": ("Name", f"arn:aws:ssm:{_HERE}:parameter{{}}"),
    "AWS::SES::EmailIdentity": ("EmailIdentity", f"arn:aws:ses:{_HERE}:identity/{{}}"),
    "AWS::SES::ConfigurationSet": ("Name", f"arn:aws:ses:{_HERE}:configuration-set/{{}}"),
    "AWS::Events::EventBus": ("Name", f"arn:aws:events:{_HERE}:event-bus/{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{_HERE}:log-group:{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{_HERE}:function:{{}}"),
}
"""Resource type -> the property with its name (without one, the logical id is used), and the form of its ARN."""


@dataclass(frozen=True)
class Resource:
    """A resource in a template."""

    stack: str
    logical_id: str
    type: str
    name: str
    arn: str


@dataclass(frozen=True)
class Role:
    """A role and its grants. The processes of a service share one role, named "process"."""

    stack: str
    name: str
    grants: tuple[Grant, ...]

    def __str__(self) -> str:
        return f"{self.stack}.{self.name}"


class TemplateStage:
    """The resources and roles in the templates of a deployment plan."""

    def __init__(self, plan: DeploymentPlan) -> None:
        self._templates = plan.templates
        self.resources = [
            self._resource(stack, logical_id, declared)
            for stack, template in plan.templates.items()
            for logical_id, declared in template["Resources"].items()
            if declared["Type"] in ARNS
        ]
        self._by_id = {(each.stack, each.logical_id): each for each in self.resources}
        self.roles = [role for stack in plan.templates for role in self._roles(stack)]

    def of(self, stack: str, kind: str) -> list[Resource]:
        return [each for each in self.resources if (each.stack, each.type) == (stack, kind)]

    def _resource(self, stack: str, logical_id: str, declared: Mapping[str, Any]) -> Resource:
        name_property, arn = ARNS[declared["Type"]]
        name = declared.get("Properties", {}).get(name_property, f"{stack}-{logical_id}")
        name = self._substitute(name, {}) if isinstance(name, dict) else name
        return Resource(stack, logical_id, declared["Type"], name, arn.format(name))

    def _roles(self, stack: str) -> Iterator[Role]:
        resources: Template = self._templates[stack]["Resources"]
        managed = {
            name: declared["Properties"]["PolicyDocument"]["Statement"]
            for name, declared in resources.items()
            if declared["Type"] == "AWS::IAM::ManagedPolicy"
        }
        if PROCESS_POLICY in managed:
            yield self._role(stack, "process", managed[DATA_POLICY] + managed[PROCESS_POLICY])
        for name, declared in resources.items():
            if declared["Type"] == "AWS::IAM::Role":
                attached = [policy["Ref"] for policy in declared["Properties"].get("ManagedPolicyArns", ())]
                inline = [
                    policy["PolicyDocument"]["Statement"] for policy in declared["Properties"].get("Policies", ())
                ]
                documents = [*(managed[policy] for policy in attached), *inline]
                statements = [statement for document in documents for statement in document]
                yield self._role(stack, name, statements)

    def _role(self, stack: str, name: str, statements: list[Any]) -> Role:
        return Role(stack, name, tuple(grants(self.resolve(stack, statements))))

    def resolve(self, stack: str, value: Any) -> Any:
        """A value of a template without intrinsic functions. Raises KeyError for an unknown reference."""
        match value:
            case {"Ref": name}:
                return self._names_in(stack)[name]
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._names_in(stack)[f"{name}.Arn"]
            case {"Fn::Sub": str()}:
                return self._substitute(value, self._names_in(stack))
            case dict():
                return {key: self.resolve(stack, each) for key, each in value.items()}
            case list():
                return [self.resolve(stack, each) for each in value]
        return value

    def _names_in(self, stack: str) -> Mapping[str, str]:
        own = [each for each in self.resources if each.stack == stack]
        aliases = {
            name: self._by_id[stack, declared["Properties"]["FunctionName"]["Ref"]].arn
            for name, declared in self._templates[stack]["Resources"].items()
            if declared["Type"] == "AWS::Lambda::Alias"
        }
        parameters = {
            name: parameter["Default"]
            for name, parameter in self._templates[stack].get("Parameters", {}).items()
            if "Default" in parameter
        }
        return (
            parameters
            | aliases
            | {each.logical_id: each.name for each in own}
            | {f"{each.logical_id}.Arn": each.arn for each in own}
        )

    def _substitute(self, value: Mapping[str, str], names: Mapping[str, str]) -> str:
        return _REFERENCE.sub(lambda match: {**PSEUDO, **names}[match[1]], value["Fn::Sub"])
