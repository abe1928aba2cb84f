"""What the operators' commands do, and what they say on the way."""

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
from deploy.package.packaging import unpacked_bytes
from deploy.stage.artifacts import remove_bucket
from deploy.stage.environment import Place
from deploy.stage.erasing import erase, kept_by
from deploy.stage.errors import DeployError, RefusedError
from deploy.stage.preview import preview, refuse_losses
from deploy.stage.rollout import Rollout, Step
from deploy.stage.stage import Plan, in_order, prepare, synthesize
from deploy.template.shared import STACK

PARALLEL = 4
MEGABYTE = 1024 * 1024


@dataclass
class Say:
    """Speaks with the person; safe from several threads."""

    out: Console
    err: Console
    yes: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def progress(self, text: str) -> None:
        with self._lock:
            self.err.print(f"[dim]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def event(self, event: dict[str, Any]) -> None:
        """One of CloudFormation's StackEvents."""
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        failed = status.endswith("FAILED")
        text = f"{event['StackName']}  {event['LogicalResourceId']}  {status}{f'  {reason}' if failed else ''}"
        with self._lock:
            self.err.print(f"[{'red' if failed else 'dim'}]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def confirm(self, question: str) -> None:
        """Raises RefusedError unless the person says yes."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise RefusedError("nobody is here to confirm; say YES=1")
        if not typer.confirm(question):
            raise RefusedError("not confirmed; nothing was changed")


@dataclass(frozen=True)
class Operation:
    """One command at one place."""

    place: Place
    say: Say
    allow_replace: bool = False
    recreate: bool = False
    adopt: bool = False

    def rollout(self, plan: Plan) -> Rollout:
        """Check and build what `plan` needs. Raises TemplateError or PackagingError."""
        packages = prepare(
            plan, self.place.interpreter, self.place.cache, region=self.place.aws.region, progress=self.say.progress,
            boto3=self.place.boto3,
        )  # fmt: skip
        for name, built in sorted(packages.items()):
            sizes = built.stat().st_size / MEGABYTE, unpacked_bytes(built) / MEGABYTE
            self.say.progress(f"package of {name}: {sizes[0]:.1f} MB, unpacked {sizes[1]:.1f} MB")
        return Rollout(self.place, plan, packages, recreate=self.recreate, adopt=self.adopt)


def deploy_one(operation: Operation, name: str) -> None:
    """Raises DeployError; then nothing was changed, or the old version is back."""
    shared = operation.place.shared()
    plan = synthesize(operation.place.target, only=[name])
    rollout = operation.rollout(plan)
    step = rollout.service(name, shared)
    if step is None:
        operation.say.out.print(f"{name}: nothing to change")
        return
    _approve(operation, rollout, [step], f"Deploy {name} to {operation.place.target.stage}?")
    _run(operation, rollout, step, shared)
    _tell_registry(operation)


def deploy_all(operation: Operation) -> None:
    """The platform, then all services in parallel. Raises DeployError with the first cause, once all have ended."""
    plan = synthesize(operation.place.target)
    rollout = operation.rollout(plan)
    platform = rollout.platform()
    if platform is not None:
        _approve(operation, rollout, [platform], f"Deploy the platform of {operation.place.target.stage}?")
        _run(operation, rollout, platform, {})
    shared = operation.place.stacks.outputs(operation.place.platform_stack)
    for names in in_order(plan):
        with ThreadPoolExecutor(PARALLEL) as pool:
            steps = [step for step in pool.map(lambda name: rollout.service(name, shared), names) if step]
            if not steps:
                continue
            named = ", ".join(step.name for step in steps)
            _approve(operation, rollout, steps, f"Deploy {named} to {operation.place.target.stage}?")
            futures = [pool.submit(_run, operation, rollout, step, shared) for step in steps]
        for future in futures:
            future.result()
    _tell_registry(operation)
    operation.say.out.print(f"stage {operation.place.target.stage} is up to date")


def _tell_registry(operation: Operation) -> None:
    """The contracts into EventBridge's schema registry; an embedded AWS has none."""
    place = operation.place
    if not place.target.local:
        bring_up_to_date(place.aws, place.target.names.prefix, create=True, progress=operation.say.progress)


def show_difference(operation: Operation, name: str) -> None:
    """Raises DeployError."""
    rollout = operation.rollout(synthesize(operation.place.target, only=[name]))
    step = rollout.service(name, operation.place.shared())
    if step is None:
        operation.say.out.print(f"{name}: nothing to change")
        return
    operation.say.out.print(preview([step.planned]))
    rollout.discard(step)


def roll_back(operation: Operation, name: str) -> None:
    """Raises RefusedError if there is nothing to go back to, else as deploy_one."""
    shared = operation.place.shared()
    rollout = Rollout(operation.place, synthesize(operation.place.target, only=[name]), {})
    step = rollout.earlier(name, shared)
    if step is None:
        operation.say.out.print(f"{name}: nothing to change")
        return
    _approve(operation, rollout, [step], f"Take {name} of {operation.place.target.stage} back?")
    _run(operation, rollout, step, shared)


def destroy_stage(operation: Operation, *, with_data: bool = False) -> None:
    """Delete all stacks of the stage: the services' in parallel, then the platform's; `with_data` also what they keep.

    Raises DeployError.
    """
    place, stage = operation.place, operation.place.target.stage
    bucket, stacks, names = place.shared()["ArtifactBucket"], place.stacks, place.target.names
    # Those that use the authorizer go before who owns it.
    owners, others = in_order(synthesize(place.target))
    kept = (
        [one for name in (*others, *owners, STACK) for one in kept_by(stacks, names.stack(name))] if with_data else []
    )
    _confirm_end(operation, [one.name for one in kept])
    for group in (others, owners, [STACK]):
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda name: stacks.delete(names.stack(name)), group))
    remove_bucket(place.aws, bucket)
    for one in kept:
        erase(place.aws, one)
    data = "with all its data" if with_data else "its tables, its users and its files were kept"
    operation.say.out.print(f"stage {stage} is gone; {data}")


def _confirm_end(operation: Operation, erased: list[str]) -> None:
    """Raises RefusedError unless the person means it."""
    stage, local = operation.place.target.stage, operation.place.target.local
    if stage != PRODUCTION and (local or not erased):
        operation.say.confirm(f"Destroy the stage {stage}{' and all its data' if erased else ''}?")
        return
    # Not even YES=1 says this: it stands in somebody's shell history.
    if erased:
        operation.say.progress(f"to be erased: {', '.join(erased)}")
    if not sys.stdin.isatty() or typer.prompt(f"Type the name of the stage to destroy {stage}") != stage:
        raise RefusedError(f"{stage} is destroyed only by a person who types its name; nothing was changed")


def _approve(operation: Operation, rollout: Rollout, steps: list[Step], question: str) -> None:
    """Show, refuse what loses data, ask. Raises RefusedError; then the change sets are gone, too."""
    planned = [step.planned for step in steps]
    operation.say.out.print(preview(planned))
    try:
        refuse_losses(planned, allowed=operation.allow_replace)
        operation.say.confirm(question)
    except (DeployError, KeyboardInterrupt, typer.Abort):
        for step in steps:
            rollout.discard(step)
        raise


def _run(operation: Operation, rollout: Rollout, step: Step, shared: dict[str, str]) -> None:
    answered = rollout.run(step, shared, operation.say.event)
    healthy = f", {answered} functions answer" if answered else ""
    operation.say.out.print(f"{step.name}: deployed{healthy}")
