"""Where the day can be played, and what stands in for what is missing there."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chassis.auth.ssm_parameters import AUTH_PARAMETERS, POOL_PARAMETER
from chassis.declare.resource_names import Names
from deploy.embedded.emulator_mailbox import Mail, read_mailbox
from deploy.embedded.external_emulator import ExternalEmulator
from deploy.local.queue_mailbox import QueueMailbox
from deploy.local.system import LocalSystem
from deploy.stage.aws import Aws, parameter
from deploy.stage.command import Command, OperatorConsole, deploy_all
from deploy.stage.environment import DeploymentEnvironment, Options, caller_identity, environment_of
from deploy.stage.errors import EmulatorError, RefusedError, StackError
from deploy.template.base import PYTHON
from examples.first_day.mail import Mailroom
from examples.first_day.run import Scene
from tests.e2e.capabilities import Capability, capabilities, lacking
from tests.e2e.stage_cleanup import remove_stage

COGNITO, GATEWAY, SES = "cognito-idp", "apigatewayv2", "sesv2"
STAND_INS = {
    COGNITO: "the development issuer, its keys at /v1/auth/keys",
    GATEWAY: "a process a service, behind our own gateway",
    SES: "the stage's mailbox queue",
}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
IMAGE = "localstack/localstack:4.14"
"""The last that starts without a token."""


@dataclass(frozen=True)
class Teller:
    """What a person reads while they wait, on standard error."""

    console: Console
    began: float

    def __call__(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/]  {text}", highlight=False, soft_wrap=True)

    def report(self, found: Collection[Capability], instead: Collection[str]) -> None:
        table = Table("service", "here", "the day uses")
        for one in found:
            uses = STAND_INS[one.service] if one.service in instead else one.title
            table.add_row(one.title, f"[yellow]no: {one.missing}[/]" if one.missing else "yes", uses)
        self.console.print(table)


class OperatorMailroom(Mailroom):
    """Where nobody could read Cognito's e-mail: an operator confirms who signs up. The stage's pool sends no code, and
    takes any that is given afterwards."""

    def __init__(self, read: Callable[[], list[Mail]], aws: Aws, pool: str) -> None:
        super().__init__(read)
        self._cognito, self._pool = aws.client(COGNITO), pool

    async def code(self, email: str, seconds: float = 30) -> str:
        await asyncio.to_thread(self._cognito.admin_confirm_sign_up, UserPoolId=self._pool, Username=email.lower())
        return "000000"


def unique_stage() -> str:
    """A stage name that no other run has: by the second."""
    number, text = int(time.time()), ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return f"e2e{text[-8:]}"


@asynccontextmanager
async def on_ministack(tell: Teller) -> AsyncIterator[Scene]:
    """The embedded AWS, started for this and thrown away after."""
    with tempfile.TemporaryDirectory(prefix="tenfold-e2e-") as folder:
        lambdas = os.environ.get("RUNTIME") == "lambda"
        async with LocalSystem(Path(folder), stage="e2e", progress=tell, lambdas=lambdas) as system:
            found = await asyncio.to_thread(capabilities, system.emulator.aws)
            tell.report(found, () if lambdas else (GATEWAY,))
            yield Scene(system.base_url, system.stage, system.emulator.aws, Mailroom(system.mail))


@asynccontextmanager
async def at_url(tell: Teller, endpoint_url: str, stage: str | None = None) -> AsyncIterator[Scene]:
    """Whatever listens at `endpoint_url`, in a stage of its own that is taken away after."""
    external = ExternalEmulator(endpoint_url, f"{endpoint_url}/_ministack/ses/messages")
    await asyncio.to_thread(external.start)
    found = await asyncio.to_thread(capabilities, external.aws)
    without = lacking(found) - {GATEWAY}
    if not await asyncio.to_thread(_readable, external):
        without |= {SES}
    lambdas = os.environ.get("RUNTIME") == "lambda" and GATEWAY not in lacking(found)
    tell.report(found, without if lambdas else without | {GATEWAY})
    stage = stage or unique_stage()
    throwaway = environment_of(Options(stage, endpoint_url, lambdas=lambdas))
    with tempfile.TemporaryDirectory(prefix="tenfold-e2e-") as folder:
        try:
            async with LocalSystem(
                Path(folder), stage=stage, progress=tell, lambdas=lambdas, external_emulator=external, without=without
            ) as system:
                mailroom = await asyncio.to_thread(_mailroom, system.mail, external.aws, stage, without)
                yield Scene(system.base_url, stage, external.aws, mailroom)
        finally:
            await _clean(tell, throwaway)


@asynccontextmanager
async def on_localstack(tell: Teller) -> AsyncIterator[Scene]:
    """LocalStack's free edition in a container. Raises NoDockerError."""
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.community.localstack import LocalStackContainer

    tell(f"starting {IMAGE}")
    try:
        container = await asyncio.to_thread(lambda: LocalStackContainer(image=IMAGE).start())
    except DockerException as error:
        raise NoDockerError(f"TARGET=localstack needs Docker, and there is none here: {str(error)[:160]}") from None
    try:
        async with at_url(tell, container.get_url()) as scene:
            yield scene
    finally:
        await asyncio.to_thread(container.stop)


@asynccontextmanager
async def on_aws(tell: Teller, *, confirmed: bool) -> AsyncIterator[Scene]:
    """A stage of its own in the account of the credentials, taken away after, also if it never came up.

    Raises RefusedError unless `confirmed` and for settings that cannot work, StackError without good credentials."""
    if not confirmed:
        raise RefusedError("TARGET=aws makes a stage in a real account, for a few cents, and deletes it; say YES=1")
    stage, region = unique_stage(), os.environ.get("AWS_REGION", "us-east-1")
    there = environment_of(
        Options(
            stage, region=region, architecture=os.environ.get("ARCHITECTURE", "arm64"),
            python=os.environ.get("LAMBDA_PYTHON", PYTHON),
        )
    )  # fmt: skip
    account = await asyncio.to_thread(caller_identity, there.aws)
    there = replace(there, target=replace(there.target, without=frozenset({SES})))
    tell(f"stage {stage} of {account}")
    tell.report(await asyncio.to_thread(capabilities, there.aws), (SES,))
    try:
        say = OperatorConsole(tell.console, tell.console, yes=True)
        await asyncio.to_thread(deploy_all, Command(there, say))
        shared = await asyncio.to_thread(there.platform_outputs)
        read = QueueMailbox(there.aws, Names(stage)).read
        mailroom = await asyncio.to_thread(_mailroom, read, there.aws, stage, there.target.without)
        yield Scene(f"https://{shared['ApiId']}.execute-api.{region}.amazonaws.com", stage, there.aws, mailroom)
    finally:
        await _clean(tell, there)


class NoDockerError(RefusedError):
    """There is no Docker on this machine."""


def _mailroom(read: Callable[[], list[Mail]], aws: Aws, stage: str, without: Collection[str]) -> Mailroom:
    if SES not in without or COGNITO in without:
        return Mailroom(read)
    pool = parameter(aws, Names(stage).parameter(*AUTH_PARAMETERS, POOL_PARAMETER))
    if pool is None:
        raise StackError(f"stage {stage} made no user pool known")
    return OperatorMailroom(read, aws, pool)


def _readable(external: ExternalEmulator) -> bool:
    """Whether what SES sends there can be read."""
    try:
        read_mailbox(external.mailbox_url)
    except (EmulatorError, ValueError, KeyError):
        return False
    return True


async def _clean(tell: Teller, there: DeploymentEnvironment) -> None:
    tell(f"taking the stage {there.target.stage} away")
    for left in await asyncio.to_thread(remove_stage, there):
        tell(f"left behind: {left}")
