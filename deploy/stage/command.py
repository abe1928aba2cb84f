"""The operators' commands on a stage, and their dialogue with the operator."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from chassis.declare.resource_names import PRODUCTION
from deploy.contracts.registry import bring_up_to_date
from deploy.errors import DeployError, RefusedError
from deploy.package.packaging import unpacked_bytes
from deploy.stage.artifacts import remove_bucket
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.erasing import erase, retained_by
from deploy.stage.preview import preview, refuse_losses
from deploy.stage.rollout import Rollout, Step
from deploy.stage.stage import DeploymentPlan, in_order, prepare, synthesize
from deploy.template.shared import STACK

PARALLEL = 4
MEGABYTE = 1024 * 1024


@dataclass
class OperatorConsole:
    """Shows progress to the operator and asks for confirmation; safe from several threads."""

    out: Console
    err: Console
    yes: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def progress(self, text: str) -> None:
        with self._lock:
            self.err.print(f"[dim]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def event(self, event: dict[str, Any]) -> None:
        """Show one of CloudFormation's StackEvents."""
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        failed = status.endswith("FAILED")
        text = f"{event['StackName']}  {event['LogicalResourceId']}  {status}{f'  {reason}' if failed else ''}"
        with self._lock:
            self.err.print(f"[{'red' if failed else 'dim'}]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def confirm(self, question: str) -> None:
        """Raises RefusedError unless the operator says yes."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise RefusedError("nobody is here to confirm; say YES=1")
        if not typer.confirm(question):
            raise RefusedError("not confirmed; nothing was changed")

    def confirm_by_name(self, stage: str, question: str, refusal: str) -> None:
        """Raises RefusedError with `refusal` unless the operator types the stage's name. Not even YES=1 confirms this:
        it is in somebody's shell history."""
        if not sys.stdin.isatty() or typer.prompt(f"{question} Type the name of the stage") != stage:
            raise RefusedError(refusal)


@dataclass(frozen=True)
class Command:
    """One command in one deployment environment."""

    environment: DeploymentEnvironment
    console: OperatorConsole
    allow_replace: bool = False
    recreate: bool = False
    adopt: bool = False

    def rollout(self, plan: DeploymentPlan) -> Rollout:
        """Check the templates of `plan` and build its packages. Raises TemplateError or PackagingError."""
        environment = self.environment
        packages = prepare(
            plan,
            environment.interpreter,
            environment.cache,
            region=environment.aws.region,
            progress=self.console.progress,
            boto3=environment.boto3,
            tree_shaking=environment.tree_shaking,
        )
        for name, built in sorted(packages.items()):
            sizes = built.stat().st_size / MEGABYTE, unpacked_bytes(built) / MEGABYTE
            self.console.progress(f"package of {name}: {sizes[0]:.1f} MB, unpacked {sizes[1]:.1f} MB")
        return Rollout(environment, plan, packages, recreate=self.recreate, adopt=self.adopt)


def deploy_one(command: Command, name: str) -> None:
    """Deploy one service, after a preview. Raises DeployError; then nothing was changed, or the old version is back."""
    shared = command.environment.platform_outputs()
    plan = synthesize(command.environment.target, only=[name])
    rollout = command.rollout(plan)
    step = rollout.service(name, shared)
    if step is None:
        command.console.out.print(f"{name}: nothing to change")
        return
    _approve(command, rollout, [step], f"Deploy {name} to {command.environment.target.stage}?")
    _run(command, rollout, step, shared)
    _update_registry(command)


def deploy_all(command: Command) -> None:
    """Deploy the platform, then all services in parallel. Raises DeployError, the first cause, once all have ended."""
    plan = synthesize(command.environment.target)
    rollout = command.rollout(plan)
    platform = rollout.platform()
    if platform is not None:
        _approve(command, rollout, [platform], f"Deploy the platform of {command.environment.target.stage}?")
        _run(command, rollout, platform, {})
    shared = command.environment.stacks.outputs(command.environment.platform_stack)
    for names in in_order(plan):
        with ThreadPoolExecutor(PARALLEL) as pool:
            steps = [step for step in pool.map(lambda name: rollout.service(name, shared), names) if step]
            if not steps:
                continue
            services = ", ".join(step.name for step in steps)
            _approve(command, rollout, steps, f"Deploy {services} to {command.environment.target.stage}?")
            futures = [pool.submit(_run, command, rollout, step, shared) for step in steps]
        for future in futures:
            future.result()
    _update_registry(command)
    command.console.out.print(f"stage {command.environment.target.stage} is up to date")


def _update_registry(command: Command) -> None:
    """Put the contracts into EventBridge's schema registry; an embedded AWS has none."""
    environment = command.environment
    if not environment.target.local:
        bring_up_to_date(
            environment.aws, environment.target.names.prefix, create=True, progress=command.console.progress
        )


def show_difference(command: Command, name: str) -> None:
    """Show what deploying the service would change. Raises DeployError."""
    rollout = command.rollout(synthesize(command.environment.target, only=[name]))
    step = rollout.service(name, command.environment.platform_outputs())
    if step is None:
        command.console.out.print(f"{name}: nothing to change")
        return
    command.console.out.print(preview([step.planned]))
    rollout.discard(step)


def roll_back(command: Command, name: str) -> None:
    """Deploy the healthy release before the present one. Raises RefusedError if there is none, else as deploy_one."""
    shared = command.environment.platform_outputs()
    rollout = Rollout(command.environment, synthesize(command.environment.target, only=[name]), {})
    step = rollout.earlier(name, shared)
    if step is None:
        command.console.out.print(f"{name}: nothing to change")
        return
    _approve(command, rollout, [step], f"Take {name} of {command.environment.target.stage} back?")
    _run(command, rollout, step, shared)


def destroy_stage(command: Command, *, with_data: bool = False) -> None:
    """Delete all stacks of the stage: the services' in parallel, then the platform's; `with_data` also their stores.

    Raises DeployError.
    """
    environment, stage = command.environment, command.environment.target.stage
    stacks, names = environment.stacks, environment.target.names
    bucket = environment.platform_outputs()["ArtifactBucket"]
    # The services that use the authorizer go before its owner.
    owners, others = in_order(synthesize(environment.target))
    stores = []
    if with_data:
        stores = [store for name in (*others, *owners, STACK) for store in retained_by(stacks, names.stack(name))]
    question = f"Destroy the stage {stage}{' and all its data' if stores else ''}?"
    if stage == PRODUCTION or (stores and not environment.target.local):
        if stores:
            command.console.progress(f"to be erased: {', '.join(store.name for store in stores)}")
        refusal = f"{stage} is destroyed only by a person who types its name; nothing was changed"
        command.console.confirm_by_name(stage, question, refusal)
    else:
        command.console.confirm(question)
    for group in (others, owners, [STACK]):
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda name: stacks.delete(names.stack(name)), group))
    remove_bucket(environment.aws, bucket)
    for store in stores:
        erase(environment.aws, store)
    data = "with all its data" if with_data else "its tables, its users and its files were kept"
    command.console.out.print(f"stage {stage} is gone; {data}")


def _approve(command: Command, rollout: Rollout, steps: list[Step], question: str) -> None:
    """Show the changes, refuse those that lose data, ask. Raises RefusedError; then the change sets are deleted."""
    planned = [step.planned for step in steps]
    command.console.out.print(preview(planned))
    try:
        refuse_losses(planned, allowed=command.allow_replace)
        command.console.confirm(question)
    except (DeployError, KeyboardInterrupt, typer.Abort):
        for step in steps:
            rollout.discard(step)
        raise


def _run(command: Command, rollout: Rollout, step: Step, shared: dict[str, str]) -> None:
    answered = rollout.run(step, shared, command.console.event)
    healthy = f", {answered} functions answer" if answered else ""
    command.console.out.print(f"{step.name}: deployed{healthy}")
