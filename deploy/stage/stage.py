"""A whole stage: from the declarations to the deployed stacks and the environment variables of processes."""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chassis.auth.ssm_parameters import AUTH_PARAMETERS, AUTHORIZER_PARAMETER
from chassis.declare.resource_names import Names
from chassis.declare.service import service
from deploy.aws import Aws, parameter
from deploy.embedded.emulator_patches import fill_gaps
from deploy.errors import TemplateError
from deploy.package.packaging import Contents, Interpreter, package
from deploy.services import ROOT, service_names
from deploy.stage.artifacts import forget_others, upload
from deploy.stage.stacks import Stacks
from deploy.template import Target, Template, environment_variables_of, platform_template, render, service_template
from deploy.template.lint import lint
from deploy.template.routes import AUTHORIZER
from deploy.template.shared import STACK
from deploy.template.table import TABLE_PARAMETER

PARALLEL = 8
Progress = Callable[[str], None]
Environments = dict[str, dict[str, str]]
"""The environment variables of each service's processes, as its stack gives them."""


@dataclass(frozen=True)
class DeploymentPlan:
    """The plan of a deployment: the templates by stack ("platform" and the services), not yet checked."""

    target: Target
    templates: dict[str, Template]

    @property
    def services(self) -> list[str]:
        return [name for name in self.templates if name != STACK]

    @property
    def services_with_functions(self) -> list[str]:
        """The services that need a package."""
        return [name for name in self.services if "CodeKey" in self.templates[name].get("Parameters", {})]


def synthesize(target: Target, *, root: Path = ROOT, only: Sequence[str] | None = None) -> DeploymentPlan:
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
    return DeploymentPlan(target, templates)


def prepare(
    plan: DeploymentPlan,
    interpreter: Interpreter,
    cache: Path,
    *,
    root: Path = ROOT,
    region: str,
    progress: Progress,
    boto3: bool = True,
    tree_shaking: bool = False,
) -> dict[str, Path]:
    """Check the templates and build the packages, both cached in the folder `cache`; calls no AWS.

    Returns the packages by service. Raises TemplateError or PackagingError.
    """
    with ThreadPoolExecutor(PARALLEL) as pool:
        progress(f"checking {len(plan.templates)} templates")
        bodies = {name: render(template) for name, template in plan.templates.items()}
        linting = pool.submit(lint, bodies, cache / "cfn-lint", region=region)
        contents = Contents(plan.target.lambdas, boto3, tree_shaking)
        packaging = {
            name: pool.submit(package, name, interpreter, cache / "packages", root=root, contents=contents)
            for name in plan.services_with_functions
        }
        linting.result()
        return {name: future.result() for name, future in packaging.items()}


def tags_of(target: Target, service: str = STACK) -> dict[str, str]:
    """The tags by which costs are allocated; CloudFormation puts them on every resource that can have tags."""
    return {"tenfold:stage": target.stage, "tenfold:service": service}


def parameters_of(
    aws: Aws, plan: DeploymentPlan, name: str, shared: Mapping[str, str], key: str | None
) -> dict[str, str]:
    """The parameters of a service's template. `shared` are the outputs of the platform's stack, `key` is the package's.

    Raises StackError.
    """
    values = {"CodeBucket": shared["ArtifactBucket"], "CodeKey": key or "", "ApiId": shared.get("ApiId", "")}
    wanted = plan.templates[name].get("Parameters", {})
    if TABLE_PARAMETER in wanted:  # a deployment never moves the data: only a restore does
        values[TABLE_PARAMETER] = table_in_use(aws, plan.target.names, name)
    if "AuthorizerId" in wanted:
        path = plan.target.names.parameter(*AUTH_PARAMETERS, AUTHORIZER_PARAMETER)
        values["AuthorizerId"] = parameter(aws, path) or ""
    return {parameter_name: values[parameter_name] for parameter_name in wanted}


def table_in_use(aws: Aws, names: Names, service: str) -> str:
    """The name of the table that a service uses: its stack's own, or since a restore another. Raises StackError."""
    return Stacks(aws).parameters(names.stack(service)).get(TABLE_PARAMETER) or names.table(service)


def in_order(plan: DeploymentPlan) -> tuple[list[str], list[str]]:
    """First the owner of the authorizer of the others' routes, then all others. Any order works: a service that comes
    before the authorizer checks tokens by itself, and gets the authorizer at its next deployment."""
    first = [name for name in plan.services if AUTHORIZER in plan.templates[name]["Resources"]]
    return first, [name for name in plan.services if name not in first]


def deploy(aws: Aws, plan: DeploymentPlan, packages: dict[str, Path], *, progress: Progress) -> Environments:
    """Bring the platform's stack up to date, then the services' in parallel. Raises StackError, the first cause."""
    stacks, names = Stacks(aws), plan.target.names
    progress("deploying the platform")
    shared = stacks.deploy(names.stack(STACK), render(plan.templates[STACK]), tags=tags_of(plan.target))
    bucket = shared["ArtifactBucket"]
    if plan.target.local:
        fill_gaps(aws, plan.templates[STACK])

    def deploy_service(name: str) -> dict[str, str]:
        key = upload(aws, bucket, name, packages[name]) if name in packages else None
        template = plan.templates[name]
        outputs = stacks.deploy(
            names.stack(name),
            render(template),
            parameters=parameters_of(aws, plan, name, shared, key),
            bucket=bucket,
            tags=tags_of(plan.target, name),
        )
        if plan.target.local:
            fill_gaps(aws, template)
            if key:
                forget_others(aws, bucket, name, key)
        progress(f"deployed {name}")
        return environment_variables_of(outputs)

    environments: Environments = {}
    with ThreadPoolExecutor(PARALLEL) as pool:
        for group in in_order(plan):
            futures = {name: pool.submit(deploy_service, name) for name in group}
            environments |= {name: future.result() for name, future in futures.items()}
    return environments
