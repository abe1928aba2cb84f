"""Options that several commands share. They are given by flags; those that change nothing dangerous, also by a
`TENFOLD_...` variable. No other variable of the shell has an effect: an exported YES=1 confirms nothing."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from deploy.errors import RefusedError

if TYPE_CHECKING:
    from deploy.dead_letters.target import OperatedStage
    from deploy.stage.command import Command, OperatorConsole

T = TypeVar("T")
out, err = Console(), Console(stderr=True)

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="Such as tasks.")]
Subscription = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Such as notify.assignments.")]
Stage = Annotated[str | None, typer.Option("--stage", help="Lower-case letters and digits, such as prod.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint", help="The address of an embedded AWS.")]
Region = Annotated[str, typer.Option("--region", envvar="AWS_REGION", help="The AWS region, as the AWS CLI takes it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True)
class StageOptions:
    """Options of the commands on a stage: the stage, and how its functions are built."""

    stage: Stage = None
    endpoint: Endpoint = None
    region: Region = "us-east-1"
    yes: Yes = False
    allow_replace: Annotated[bool, typer.Option("--allow-replace", help="Replace what holds data.")] = False
    recreate: Annotated[bool, typer.Option("--recreate", help="Delete what a failed first creation left.")] = False
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over tables that a destroyed stage kept.")] = False
    runtime: Annotated[
        str, typer.Option(envvar="TENFOLD_RUNTIME", help="lambda, or worker: processes instead of functions.")
    ] = "lambda"
    architecture: Annotated[str, typer.Option(envvar="TENFOLD_ARCHITECTURE", help="arm64 or x86_64.")] = "arm64"
    python: Annotated[
        str | None, typer.Option(envvar="TENFOLD_LAMBDA_PYTHON", help="The Python of functions on AWS, such as 3.13.")
    ] = None
    boto3: Annotated[
        bool, typer.Option(envvar="TENFOLD_BUNDLE_BOTO3", help="boto3 in the packages, or the one that Lambda has.")
    ] = True
    tree_shaking: Annotated[
        bool | None,
        typer.Option(envvar="TENFOLD_TREE_SHAKING", help="Leave out libraries' modules that nothing imports."),
    ] = None
    snapstart: Annotated[bool, typer.Option(envvar="TENFOLD_SNAPSTART", help="Start functions from snapshots.")] = False
    canary: Annotated[
        int, typer.Option(envvar="TENFOLD_CANARY", help="Percent of the traffic first; 0: all at once.")
    ] = 0
    canary_minutes: Annotated[
        int, typer.Option(envvar="TENFOLD_CANARY_MINUTES", help="How long a canary gets its part.")
    ] = 5

    def command(self) -> "Command":
        """The command's stage, once the credentials work. Raises DeployError, in one line."""
        from deploy.stage.command import Command, OperatorConsole  # noqa: PLC0415  (slow, and not for every command)
        from deploy.stage.environment import Options, caller_identity, environment_of  # noqa: PLC0415
        from deploy.template.base import PYTHON, Canary  # noqa: PLC0415

        if self.stage is None:
            raise RefusedError("name the stage: STAGE=dev, or --stage dev")
        if self.runtime not in {"lambda", "worker"}:
            raise RefusedError(f"there is no runtime {self.runtime!r}; use lambda or worker")
        environment = environment_of(
            Options(
                self.stage,
                self.endpoint,
                self.region,
                self.runtime == "lambda",
                self.architecture,
                self.boto3,
                self.snapstart,
                Canary(self.canary, self.canary_minutes) if self.canary else None,
                self.python or PYTHON,
                self.tree_shaking,
            )
        )
        where = f" at {self.endpoint}" if self.endpoint else ""
        err.print(f"[dim]stage {self.stage} of {escape(caller_identity(environment.aws))}{where}[/]")
        console = OperatorConsole(out, err, yes=self.yes)
        return Command(environment, console, self.allow_replace, self.recreate, self.adopt)


@dataclass(frozen=True)
class OperatorOptions:
    """Options of the commands on dead letters and history: the stage, or without one what `make up` runs."""

    stage: Annotated[str | None, typer.Option(help="Without it: what `make up` runs on this machine.")] = None
    endpoint: Endpoint = None
    region: Region = "us-east-1"
    yes: Yes = False

    def operated_stage(self) -> "OperatedStage":
        """Raises DeployError, in one line, if the stage cannot be reached."""
        from deploy.dead_letters.target import operated_stage  # noqa: PLC0415  (slow)

        return operated_stage(self.stage, self.endpoint, self.region)

    def console(self) -> "OperatorConsole":
        from deploy.stage.command import OperatorConsole  # noqa: PLC0415  (slow)

        return OperatorConsole(out, err, yes=self.yes)


def sharing(options: type[T]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command all options of the dataclass `options` besides its own; it gets an instance as first argument."""
    shared = list(inspect.signature(options, eval_str=True).parameters.values())
    names = [field.name for field in fields(options)]  # type: ignore[arg-type]  # a dataclass, as the docstring says

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            command(options(**{name: given.pop(name) for name in names}), **given)

        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # which typer reads
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate
