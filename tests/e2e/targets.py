"""Targets of the first day: an AWS each, and replacements for the services that it lacks."""

import asyncio
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
from deploy.aws import Aws, parameter
from deploy.embedded.emulator_mailbox import Mail, read_mailbox
from deploy.embedded.external_emulator import ExternalEmulator
from deploy.errors import EmulatorError, RefusedError, StackError
from deploy.local.queue_mailbox import QueueMailbox
from deploy.local.system import LocalSystem
from deploy.stage.command import Command, OperatorConsole, deploy_all
from deploy.stage.environment import DeploymentEnvironment, Options, caller_identity, environment_of
from examples.first_day.mail import Mailroom
from examples.first_day.run import Scene
from tests.e2e.capabilities import Capability, capabilities, lacking
from tests.e2e.stage_cleanup import remove_stage

COGNITO, GATEWAY, SES = "cognito-idp", "apigatewayv2", "sesv2"
STAND_INS = {
    COGNITO: "the development issuer, its keys at /v1/auth/keys",
    GATEWAY: "a process per service, behind our own gateway",
    SES: "the stage's mailbox queue",
}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
IMAGE = "localstack/localstack:4.14"
"""The last that starts without a token."""


@dataclass(frozen=True)
class Teller:
    """Progress for a person, on standard error."""

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
    """The mailroom of a target where nobody can read Cognito's e-mails: an operator confirms sign-ups. The stage's pool
    sends no code, and takes any code afterwards."""

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
async def on_ministack(tell: Teller, *, lambdas: bool = False) -> AsyncIterator[Scene]:
    """The embedded AWS, started for this and thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="tenfold-e2e-") as folder:
        async with LocalSystem(Path(folder), stage="e2e", progress=tell, lambdas=lambdas) as system:
            found = await asyncio.to_thread(capabilities, system.emulator.aws)
            tell.report(found, () if lambdas else (GATEWAY,))
            yield Scene(system.base_url, system.stage, system.emulator.aws, Mailroom(system.mail))


@asynccontextmanager
async def at_url(tell: Teller, endpoint_url: str, *, lambdas: bool = False) -> AsyncIterator[Scene]:
    """The AWS at `endpoint_url`, in a stage of its own that is deleted afterwards."""
    external = ExternalEmulator(endpoint_url, f"{endpoint_url}/_ministack/ses/messages")
    await asyncio.to_thread(external.start)
    found = await asyncio.to_thread(capabilities, external.aws)
    without = lacking(found) - {GATEWAY}
    try:
        await asyncio.to_thread(read_mailbox, external.mailbox_url)
    except (EmulatorError, ValueError, KeyError):  # nobody can read what SES sends there
        without |= {SES}
    lambdas = lambdas and GATEWAY not in lacking(found)
    tell.report(found, without if lambdas else without | {GATEWAY})
    stage = unique_stage()
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
async def on_localstack(tell: Teller, *, lambdas: bool = False) -> AsyncIterator[Scene]:
    """LocalStack's free edition in a container. Raises NoDockerError."""
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.community.localstack import LocalStackContainer

    tell(f"starting {IMAGE}")
    try:
        container = await asyncio.to_thread(lambda: LocalStackContainer(image=IMAGE).start())
    except DockerException as error:
        raise NoDockerError(f"TARGET=localstack needs Docker, and there is none here: {str(error)[:160]}") from None
    try:
        async with at_url(tell, container.get_url(), lambdas=lambdas) as scene:
            yield scene
    finally:
        await asyncio.to_thread(container.stop)


@asynccontextmanager
async def on_aws(tell: Teller, options: Options, *, confirmed: bool) -> AsyncIterator[Scene]:
    """A stage of its own in the account of the credentials, deleted afterwards, even if it never came up.

    Raises RefusedError unless `confirmed` and for options that cannot work, StackError without good credentials."""
    if not confirmed:
        raise RefusedError("TARGET=aws makes a stage in a real account, for a few cents, and deletes it; say YES=1")
    stage, environment = options.stage, environment_of(options)
    account = await asyncio.to_thread(caller_identity, environment.aws)
    environment = replace(environment, target=replace(environment.target, without=frozenset({SES})))
    tell(f"stage {stage} of {account}")
    tell.report(await asyncio.to_thread(capabilities, environment.aws), (SES,))
    try:
        console = OperatorConsole(tell.console, tell.console, yes=True)
        await asyncio.to_thread(deploy_all, Command(environment, console))
        outputs = await asyncio.to_thread(environment.platform_outputs)
        read = QueueMailbox(environment.aws, Names(stage)).read
        mailroom = await asyncio.to_thread(_mailroom, read, environment.aws, stage, environment.target.without)
        yield Scene(
            f"https://{outputs['ApiId']}.execute-api.{options.region}.amazonaws.com", stage, environment.aws, mailroom
        )
    finally:
        await _clean(tell, environment)


class NoDockerError(RefusedError):
    """There is no Docker on this machine."""


def _mailroom(read: Callable[[], list[Mail]], aws: Aws, stage: str, without: Collection[str]) -> Mailroom:
    if SES not in without or COGNITO in without:
        return Mailroom(read)
    pool = parameter(aws, Names(stage).parameter(*AUTH_PARAMETERS, POOL_PARAMETER))
    if pool is None:
        raise StackError(f"stage {stage} made no user pool known")
    return OperatorMailroom(read, aws, pool)


async def _clean(tell: Teller, environment: DeploymentEnvironment) -> None:
    tell(f"deleting the stage {environment.target.stage}")
    for left in await asyncio.to_thread(remove_stage, environment):
        tell(f"left behind: {left}")
