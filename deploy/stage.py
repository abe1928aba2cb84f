"""A whole stage: the platform's stack and every service's, from the declarations to the environment of processes."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chassis.service import service
from deploy.artifacts import forget_others, upload
from deploy.aws import Aws
from deploy.embedded.gaps import fill_gaps
from deploy.errors import TemplateError
from deploy.lint import lint
from deploy.packaging import Interpreter, package
from deploy.services import ROOT, service_names
from deploy.stacks import Stacks
from deploy.template import Target, Template, environment_of, platform_template, render, service_template
from deploy.template.shared import STACK

PARALLEL = 8
Progress = Callable[[str], None]
Environments = dict[str, dict[str, str]]
"""The environment variables of each service's processes, as its stack gives them."""


@dataclass(frozen=True)
class Plan:
    """What is to be deployed: the rendered templates by stack ("platform" and the services), not yet checked."""

    target: Target
    templates: dict[str, Template]

    @property
    def services(self) -> list[str]:
        return [name for name in self.templates if name != STACK]

    @property
    def packaged(self) -> list[str]:
        """The services that need a package, for they have functions."""
        return [name for name in self.services if "Parameters" in self.templates[name]]


def synthesize(target: Target, *, root: Path = ROOT, only: Sequence[str] | None = None) -> Plan:
    """The templates of the platform and of the services under `root` (or those named by `only`).

    Raises TemplateError for a declaration that cannot be imported or cannot work.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    templates = {STACK: platform_template(target)}
    for name in service_names(root) if only is None else only:
        try:
            templates[name] = service_template(service(name), target)
        except (ImportError, AttributeError) as error:
            raise TemplateError(f"service {name} cannot be read: {type(error).__name__}: {error}") from error
    return Plan(target, templates)


def prepare(
    plan: Plan, interpreter: Interpreter, cache: Path, *, root: Path = ROOT, region: str, progress: Progress
) -> dict[str, Path]:
    """Check the templates and build the packages, both remembered in the folder `cache`; asks no AWS.

    Returns the packages by service. Raises TemplateError or PackagingError.
    """
    with ThreadPoolExecutor(PARALLEL) as pool:
        progress(f"checking {len(plan.templates)} templates")
        bodies = {name: render(template) for name, template in plan.templates.items()}
        checked = pool.submit(lint, bodies, cache / "cfn-lint", region=region)
        built = {name: pool.submit(package, name, interpreter, cache / "packages", root=root) for name in plan.packaged}
        checked.result()
        return {name: future.result() for name, future in built.items()}


def deploy(aws: Aws, plan: Plan, packages: dict[str, Path], *, progress: Progress) -> Environments:
    """Bring the platform's stack up to date, then all services' at once. Raises StackError with the first cause."""
    stacks, names = Stacks(aws), plan.target.names
    tags = {"tenfold:stage": plan.target.stage}
    progress("deploying the platform")
    shared = stacks.deploy(names.stack(STACK), render(plan.templates[STACK]), tags=tags)
    bucket = shared["ArtifactBucket"]

    def one(name: str) -> dict[str, str]:
        parameters = {}
        if name in packages:
            parameters = {"CodeBucket": bucket, "CodeKey": upload(aws, bucket, name, packages[name])}
        template = plan.templates[name]
        outputs = stacks.deploy(
            names.stack(name), render(template), parameters=parameters, bucket=bucket,
            tags={**tags, "tenfold:service": name},
        )  # fmt: skip
        if plan.target.local:
            fill_gaps(aws, template)
            if parameters:
                forget_others(aws, bucket, name, parameters["CodeKey"])
        progress(f"deployed {name}")
        return environment_of(outputs)

    with ThreadPoolExecutor(PARALLEL) as pool:
        futures = {name: pool.submit(one, name) for name in plan.services}
        return {name: future.result() for name, future in futures.items()}
