"""The deployment environment of an operator's command: the AWS, the stage in it, and how packages are built."""

import platform
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from deploy.aws import Aws
from deploy.embedded.emulator import emulator_venv
from deploy.errors import RefusedError, StackError
from deploy.package.packaging import Interpreter, interpreter_of
from deploy.services import ROOT
from deploy.stage.settings import settings_of
from deploy.stage.stacks import Stacks
from deploy.template import Target
from deploy.template.base import PYTHON, Canary
from deploy.template.shared import STACK

PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
SNAPSTART_SINCE = (3, 12)
PYTHONS = frozenset({"3.11", "3.12", "3.13"})
"""The Pythons of Lambda that this code runs on."""


@dataclass(frozen=True)
class Options:
    """The settings of an operator; the defaults are for AWS. `tree_shaking` None leaves it to stages.toml."""

    stage: str
    endpoint_url: str | None = None
    region: str = "us-east-1"
    lambdas: bool = True
    architecture: str = "arm64"
    boto3: bool = True
    snapstart: bool = False
    canary: Canary | None = None
    python: str = PYTHON
    tree_shaking: bool | None = None


@dataclass(frozen=True)
class DeploymentEnvironment:
    """One stage of one AWS, and the interpreter that its functions run on."""

    aws: Aws
    target: Target
    interpreter: Interpreter
    boto3: bool = True
    tree_shaking: bool = False
    cache: Path = ROOT / ".local/deploy"

    @property
    def stacks(self) -> Stacks:
        return Stacks(self.aws)

    @property
    def platform_stack(self) -> str:
        return self.target.names.stack(STACK)

    def platform_outputs(self) -> dict[str, str]:
        """The outputs of the stage's platform. Raises RefusedError if there is no such stage, or StackError."""
        suffix = f"-{STACK}"
        platforms = [name for name in self.stacks.names("tenfold-") if name.endswith(suffix)]
        stages = [name.removeprefix("tenfold-").removesuffix(suffix) for name in platforms]
        if self.target.stage not in stages:
            raise RefusedError(
                f"there is no stage {self.target.stage!r} here; there are {', '.join(stages) or 'none'}. "
                "`make deploy STAGE=...` makes one"
            )
        return self.stacks.outputs(self.platform_stack)


def environment_of(options: Options) -> DeploymentEnvironment:
    """Raises DeployError for settings that cannot work; asks no AWS."""
    local, settings = options.endpoint_url is not None, settings_of(options.stage)
    if options.python not in PYTHONS:
        raise RefusedError(f"functions do not run on Python {options.python}; use one of {', '.join(sorted(PYTHONS))}")
    if options.architecture not in PLATFORMS:
        raise RefusedError(f"there is no architecture {options.architecture!r}; use {' or '.join(PLATFORMS)}")
    if options.snapstart and tuple(map(int, options.python.split("."))) < SNAPSTART_SINCE:
        raise RefusedError(f"SnapStart needs Python 3.12 or newer, and the functions run on {options.python}")
    if local:
        interpreter = interpreter_of(emulator_venv())
        architecture = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    else:
        interpreter = Interpreter(None, options.python, PLATFORMS[options.architecture])
        architecture = options.architecture
    target = Target(
        options.stage,
        local=local,
        runtime=interpreter.runtime,
        architecture=architecture,
        lambdas=options.lambdas,
        aliases=options.lambdas and not local,
        snapstart=options.snapstart and not local,
        canary=None if local else options.canary,
        settings=settings.variables,
    )
    tree_shaking = settings.tree_shaking if options.tree_shaking is None else options.tree_shaking
    aws = Aws(options.endpoint_url, options.region)
    return DeploymentEnvironment(aws, target, interpreter, options.boto3 or local, tree_shaking)


def caller_identity(aws: Aws) -> str:
    """The account and the identity of the credentials. Raises StackError, in one line, if there are none, if they have
    expired or are refused, and without a network."""
    try:
        answer = aws.client("sts").get_caller_identity()
    except (NoCredentialsError, PartialCredentialsError):
        raise StackError("no AWS credentials found; set AWS_PROFILE, or say ENDPOINT=... for an embedded AWS") from None
    except ClientError as error:
        if error.response["Error"]["Code"] in EXPIRED:
            raise StackError("the AWS credentials have expired; sign in again") from None
        raise StackError(f"AWS refuses the credentials: {error}") from error
    except BotoCoreError as error:
        raise StackError(f"cannot reach AWS: {error}") from error
    return f"{answer['Account']} as {answer['Arn'].rsplit('/', 1)[-1]}"
