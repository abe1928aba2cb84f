"""The roles that the templates make, with what they may do, and the resources that there are; all without AWS."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.stage.aws import REGION
from deploy.stage.stage import DeploymentPlan
from deploy.template import Template
from deploy.template.permissions import DATA_POLICY, PROCESS_POLICY
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
"""How a resource of a type is named: by which property (its logical id if it has no such), and as what ARN."""


@dataclass(frozen=True)
class Resource:
    stack: str
    logical_id: str
    type: str
    name: str
    arn: str


@dataclass(frozen=True)
class Role:
    """Whose code runs with it, and what it may do. A service's processes share one, named "process"."""

    stack: str
    name: str
    grants: tuple[Grant, ...]

    def __str__(self) -> str:
        return f"{self.stack}.{self.name}"


class Stage:
    """Everything in the templates of a plan."""

    def __init__(self, plan: DeploymentPlan) -> None:
        self._templates = plan.templates
        self.resources = [each for stack in plan.templates for each in self._resources(stack)]
        self._by_id = {(each.stack, each.logical_id): each for each in self.resources}
        self.roles = [role for stack in plan.templates for role in self._roles(stack)]

    def of(self, stack: str, kind: str) -> list[Resource]:
        return [each for each in self.resources if (each.stack, each.type) == (stack, kind)]

    def _resources(self, stack: str) -> Iterator[Resource]:
        for logical_id, made in self._templates[stack]["Resources"].items():
            if made["Type"] in ARNS:
                naming, arn = ARNS[made["Type"]]
                name = made.get("Properties", {}).get(naming, f"{stack}-{logical_id}")
                name = self._filled(name, {}) if isinstance(name, dict) else name
                yield Resource(stack, logical_id, made["Type"], name, arn.format(name))

    def _roles(self, stack: str) -> Iterator[Role]:
        resources: Template = self._templates[stack]["Resources"]
        managed = {
            name: made["Properties"]["PolicyDocument"]["Statement"]
            for name, made in resources.items()
            if made["Type"] == "AWS::IAM::ManagedPolicy"
        }
        if PROCESS_POLICY in managed:
            yield self._role(stack, "process", managed[DATA_POLICY] + managed[PROCESS_POLICY])
        for name, made in resources.items():
            if made["Type"] == "AWS::IAM::Role":
                attached = [one["Ref"] for one in made["Properties"].get("ManagedPolicyArns", ())]
                own = [one["PolicyDocument"]["Statement"] for one in made["Properties"].get("Policies", ())]
                statements = [one for part in [*(managed[each] for each in attached), *own] for one in part]
                yield self._role(stack, name, statements)

    def _role(self, stack: str, name: str, statements: list[Any]) -> Role:
        return Role(stack, name, tuple(grants(self.resolved(stack, statements))))

    def resolved(self, stack: str, value: Any) -> Any:
        """`value` of a template without its intrinsics. Raises KeyError for what refers to something unknown here."""
        match value:
            case {"Ref": name}:
                return self._known(stack)[name]
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._known(stack)[f"{name}.Arn"]
            case {"Fn::Sub": str()}:
                return self._filled(value, self._known(stack))
            case dict():
                return {key: self.resolved(stack, each) for key, each in value.items()}
            case list():
                return [self.resolved(stack, each) for each in value]
        return value

    def _known(self, stack: str) -> Mapping[str, str]:
        own = [each for each in self.resources if each.stack == stack]
        aliases = {
            name: self._by_id[stack, made["Properties"]["FunctionName"]["Ref"]].arn
            for name, made in self._templates[stack]["Resources"].items()
            if made["Type"] == "AWS::Lambda::Alias"
        }
        parameters = {
            name: said["Default"]
            for name, said in self._templates[stack].get("Parameters", {}).items()
            if "Default" in said
        }
        return (
            parameters
            | aliases
            | {each.logical_id: each.name for each in own}
            | {f"{each.logical_id}.Arn": each.arn for each in own}
        )

    def _filled(self, value: Mapping[str, str], known: Mapping[str, str]) -> str:
        return _REFERENCE.sub(lambda found: {**PSEUDO, **known}[found[1]], value["Fn::Sub"])
