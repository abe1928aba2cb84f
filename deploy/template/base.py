"""The basics of all templates: intrinsic functions, logical ids, outputs, rendering."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.declare.resource_names import PRODUCTION, Names
from deploy.errors import TemplateError

Template = dict[str, Any]
FORMAT = "2010-09-09"
_ENV_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z][A-Z0-9]*)*")
_ENV_OUTPUT = "Env"
MAX_STAGE = 12
PYTHON = "3.13"
"""The default Python of Lambda functions."""
_STAGE = re.compile(r"[a-z][a-z0-9]{0,11}")


@dataclass(frozen=True)
class Canary:
    """A canary: a new version gets `percent` of the traffic for `minutes`, then all of it, unless an alarm rings."""

    percent: int = 10
    minutes: int = 5


@dataclass(frozen=True)
class Target:
    """The target of a template: the stage, whether it is on the embedded AWS, and what runs in Lambda.

    With `lambdas` the API, the consumers and the schedules are functions; without, processes of ours. With `aliases`
    callers reach a function by an alias of a numbered version, moved at once or by the `canary`; `snapstart` needs
    them. `environment` are variables of every function, `settings` of every process, too. `without` are the AWS
    services, by boto3's names, that the AWS lacks or that are not used (cognito-idp, sesv2): the development provider
    and a mailbox replace them.
    """

    stage: str
    local: bool = False
    runtime: str = f"python{PYTHON}"
    architecture: str = "arm64"
    lambdas: bool = False
    aliases: bool = False
    snapstart: bool = False
    canary: Canary | None = None
    environment: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _STAGE.fullmatch(self.stage):
            raise TemplateError(
                f"{self.stage!r} cannot be a stage: use up to {MAX_STAGE} lower-case letters and digits, such as prod"
            )
        if (self.snapstart or self.canary) and not self.aliases:
            raise TemplateError("SnapStart and a canary work on published versions; switch aliases on")
        if self.without and self.stage == PRODUCTION:
            raise TemplateError(f"the stage {PRODUCTION} does not go without {', '.join(sorted(self.without))}")

    @property
    def names(self) -> Names:
        return Names(self.stage)

    @property
    def has_alarms(self) -> bool:
        """Whether there are alarms and dashboards: not for processes on a laptop, where nobody would look at them."""
        return self.lambdas or not self.local


def ref(logical_id: str) -> Template:
    return {"Ref": logical_id}


def arn(logical_id: str) -> Template:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def sub(text: str) -> Template:
    return {"Fn::Sub": text}


def bus_arn(names: Names) -> Template:
    return sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:event-bus/{names.bus}")


def logical(name: str) -> str:
    """`member-projection` as a logical id: `MemberProjection`. Raises TemplateError for a name without letters."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    if not words:
        raise TemplateError(f"{name!r} cannot be part of a logical id; use letters and digits")
    return "".join(word[0].upper() + word[1:] for word in words)


def env_output(variable: str) -> str:
    """The output that carries an environment variable: `UPLOADS_BUCKET` is `EnvUploadsBucket`, because CloudFormation
    allows letters and digits only. Raises TemplateError for a name that could not be read back."""
    if not _ENV_NAME.fullmatch(variable):
        raise TemplateError(f"environment variable {variable!r}: use UPPER_CASE words, each beginning with a letter")
    return _ENV_OUTPUT + "".join(word.capitalize() for word in variable.split("_"))


def environment_variables_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """The environment variables among a stack's outputs: the inverse of `env_output`."""
    variables = {}
    for key, value in outputs.items():
        if key.startswith(_ENV_OUTPUT):
            words = re.findall(r"[A-Z][a-z0-9]*", key.removeprefix(_ENV_OUTPUT))
            variables["_".join(word.upper() for word in words)] = value
    return dict(sorted(variables.items()))


def merge(into: Template, more: Mapping[str, Any], part: str) -> None:
    """Add resources to a template. Raises TemplateError when both have the same logical id."""
    for logical_id, resource in more.items():
        if logical_id in into:
            raise TemplateError(f"{part}: the logical id {logical_id} is used twice; rename one")
        into[logical_id] = resource


def render(template: Template) -> str:
    """The template as JSON, the same text for the same declaration."""
    return json.dumps(template, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
