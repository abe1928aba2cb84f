"""`python -m deploy.cli`: an operator's commands. Each takes --stage, and --endpoint for an embedded AWS."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from deploy.restore.operation import Restore
from deploy.services import checked
from deploy.stage.command import (
    Command,
    OperatorConsole,
    deploy_all,
    deploy_one,
    destroy_stage,
    roll_back,
    show_difference,
)
from deploy.stage.environment import DeploymentEnvironment, Options, caller_identity, environment_of
from deploy.stage.errors import DeployError, RefusedError
from deploy.stage.report import as_table, conditions
from deploy.stage.stage import synthesize
from deploy.template.base import PYTHON, Canary

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Deploys, shows and undoes, service by service.")
out, err = Console(), Console(stderr=True)

Name = Annotated[str, typer.Option("--service", envvar="SERVICE", help="One service, such as tasks.")]
Stage = Annotated[str, typer.Option("--stage", envvar="STAGE", help="Lower-case letters and digits, such as prod.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint", envvar="ENDPOINT", help="Of an embedded AWS.")]
Region = Annotated[str, typer.Option("--region", envvar="AWS_REGION")]
Yes = Annotated[bool, typer.Option("--yes", envvar="YES", help="Do not ask.")]
AllowReplace = Annotated[bool, typer.Option("--allow-replace", envvar="ALLOW_REPLACE", help="Data may be lost.")]
Recreate = Annotated[bool, typer.Option("--recreate", envvar="RECREATE", help="Delete a failed first creation.")]
Adopt = Annotated[bool, typer.Option("--adopt", envvar="ADOPT", help="Take over tables that a destroyed stage kept.")]
WithData = Annotated[bool, typer.Option("--with-data", envvar="WITH_DATA", help="Erase the data, too.")]
Runtime = Annotated[str, typer.Option("--runtime", envvar="RUNTIME", help="lambda, or worker: processes of ours.")]
Architecture = Annotated[str, typer.Option("--architecture", envvar="ARCHITECTURE", help="arm64 or x86_64.")]
Python = Annotated[str, typer.Option("--python", envvar="LAMBDA_PYTHON", help="That of the functions on AWS.")]
Bundled = Annotated[
    bool, typer.Option("--boto3/--no-boto3", envvar="BUNDLE_BOTO3", help="In the package, or Lambda's.")
]
SnapStart = Annotated[bool, typer.Option("--snapstart", envvar="SNAPSTART")]
Percent = Annotated[
    int, typer.Option("--canary", envvar="CANARY", help="Percent of the traffic first; 0: all at once.")
]
Minutes = Annotated[int, typer.Option("--canary-minutes", envvar="CANARY_MINUTES")]


At = Annotated[str, typer.Option("--at", envvar="AT", help="A moment: 2026-11-21T09:00:00Z.")]
UsedTable = Annotated[str, typer.Option("--table", envvar="TABLE", help="A table of the service that exists.")]


@app.callback()
def common(
    context: typer.Context, stage: Stage, endpoint: Endpoint = None, region: Region = "us-east-1", yes: Yes = False,
    allow_replace: AllowReplace = False, recreate: Recreate = False, adopt: Adopt = False, runtime: Runtime = "lambda",
    architecture: Architecture = "arm64", boto3: Bundled = True, snapstart: SnapStart = False, canary: Percent = 0,
    canary_minutes: Minutes = 5, python: Python = PYTHON,
) -> None:  # fmt: skip
    """The options that all commands share stand before the command."""
    if runtime not in {"lambda", "worker"}:
        raise RefusedError(f"there is no runtime {runtime!r}; use lambda or worker")
    shift = Canary(canary, canary_minutes) if canary else None
    options = Options(stage, endpoint, region, runtime == "lambda", architecture, boto3, snapstart, shift, python)
    there = environment_of(options)
    err.print(f"[dim]stage {stage} of {escape(caller_identity(there.aws))}{f' at {endpoint}' if endpoint else ''}[/]")
    say = OperatorConsole(out, err, yes=yes)
    context.obj = Command(there, say, allow_replace=allow_replace, recreate=recreate, adopt=adopt)


@app.command()
def deploy(context: typer.Context) -> None:
    """Bring the platform and every service up to date; makes the stage if there is none."""
    deploy_all(_command(context))


@app.command("deploy-service")
def deploy_service(context: typer.Context, service: Name) -> None:
    """Bring one service up to date; nothing else moves."""
    deploy_one(_command(context), checked(service))


@app.command()
def diff(context: typer.Context, service: Name) -> None:
    """Show what deploying a service would change, and change nothing."""
    show_difference(_command(context), checked(service))


@app.command()
def rollback(context: typer.Context, service: Name) -> None:
    """Bring back the healthy release before the present one."""
    roll_back(_command(context), checked(service))


@app.command()
def status(context: typer.Context) -> None:
    """Show versions, health, queues, dead letters and alarms of the stage."""
    there: DeploymentEnvironment = _command(context).environment
    there.shared()
    out.print(as_table(conditions(there, synthesize(there.target))))


@app.command()
def destroy(context: typer.Context, with_data: WithData = False) -> None:
    """Delete the stage's stacks. Tables, buckets, user pools and keys stay, unless told otherwise."""
    destroy_stage(_command(context), with_data=with_data)


@app.command()
def restore(context: typer.Context, service: Name, at: At = "", table: UsedTable = "") -> None:
    """Restore a service's table as it was, beside the present one, and swap; or swap to one that is there."""
    if bool(at) == bool(table):
        raise RefusedError("say either AT=2026-11-21T09:00:00Z or TABLE=tenfold-...")
    one = Restore.of(_command(context), checked(service), time.sleep)
    one.at(at) if at else one.use(table)


def _command(context: typer.Context) -> Command:
    found: Any = context.obj
    if not isinstance(found, Command):
        raise RuntimeError("a command ran without its options")
    return found


def main() -> None:
    try:
        app()
    except DeployError as error:
        err.print(f"[red]error[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
