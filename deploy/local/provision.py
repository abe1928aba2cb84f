"""Deploys a stage onto the embedded AWS, in a process of its own.

The supervisor runs it beside the start of the emulator, and again after a change of code: it imports the services as
they are now, and what they import leaves with it. It speaks in lines of JSON: {"progress": ...}, and at the end
{"provisioned": ...} or {"error": ...}.
"""

import json
import platform
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chassis.declare.service import Service, service
from deploy.embedded.emulator import emulator_venv
from deploy.embedded.identities import process_credentials, translate_policies
from deploy.package.packaging import interpreter_of
from deploy.stage.aws import REGION, Aws, parameter
from deploy.stage.errors import DeployError, EmulatorError, StackError
from deploy.stage.settings import settings_of
from deploy.stage.stage import DeploymentPlan, Environments, deploy, prepare, synthesize
from deploy.template import Target

EMULATOR_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """What to deploy where: read from standard input as JSON."""

    stage: str
    endpoint_url: str
    root: Path
    cache: Path
    lambdas: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    """Variables of every function."""
    without: tuple[str, ...] = ()
    """The AWS services that this AWS lacks."""
    enforced: bool = False
    """Whether the embedded AWS enforces IAM, so that each process gets credentials of its own."""

    @classmethod
    def parse(cls, text: str) -> "Order":
        given = json.loads(text)
        given |= {"root": Path(given["root"]), "cache": Path(given["cache"])}
        pairs = tuple((name, value) for name, value in given["environment"])
        return cls(**{**given, "environment": pairs, "without": tuple(given["without"])})

    def render(self) -> str:
        return json.dumps(asdict(self) | {"root": str(self.root), "cache": str(self.cache)})


@dataclass(frozen=True)
class Provisioned:
    """What a deployed stage gives to who runs it: the variables of each service's process; in the Lambda runtime also
    the address of the HTTP API, and the OpenAPI document of each service, for no process shows it."""

    environments: dict[str, dict[str, str]]
    api_url: str | None = None
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)


def provision(order: Order) -> Provisioned:
    """Deploy the stage. Raises DeployError."""
    interpreter = interpreter_of(emulator_venv())
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    target = Target(
        order.stage, local=True, runtime=interpreter.runtime, architecture=machine, lambdas=order.lambdas,
        environment=order.environment, settings=settings_of(order.stage, order.root).variables,
        without=frozenset(order.without),
    )  # fmt: skip
    _say(progress="reading the declarations")
    plan = synthesize(target, root=order.root)
    packages = prepare(plan, interpreter, order.cache, root=order.root, region=REGION, progress=_progress)
    _await_emulator(order.endpoint_url)
    aws = Aws(order.endpoint_url)
    environments = deploy(aws, plan, packages, progress=_progress)
    if order.enforced:
        _identify(aws, plan, environments)
    if not order.lambdas:
        return Provisioned(environments)
    documents = {name: document(service(name)) for name in plan.services}
    return Provisioned(environments, api_url(aws, target), documents)


def _identify(aws: Aws, plan: DeploymentPlan, environments: Environments) -> None:
    """Give every process its service's role; functions have theirs from their template."""
    names = plan.target.names
    for name in plan.services:
        translate_policies(aws, names.stack(name))
        if not plan.target.lambdas:
            environments[name] |= process_credentials(aws, names, name)


def api_url(aws: Aws, target: Target) -> str:
    """Where the embedded AWS serves the stage's HTTP API. Raises StackError while there is none."""
    api = parameter(aws, target.names.parameter("platform", "api-id"))
    if api is None:
        raise StackError(f"stage {target.stage} has no HTTP API; deploy it in the Lambda runtime")
    return f"{aws.endpoint_url}/_aws/execute-api/{api}/$default"


def document(declared: Service) -> dict[str, Any]:
    """The OpenAPI document of a service."""
    from fastapi import FastAPI  # noqa: PLC0415  (slow, and the other runtime asks the processes)

    app = FastAPI(title=f"Tenfold {declared.name}", version="1", generate_unique_id_function=lambda route: route.name)
    app.include_router(declared.load_router())
    return app.openapi()


def _await_emulator(endpoint_url: str) -> None:
    deadline = time.monotonic() + EMULATOR_SECONDS
    while True:
        try:
            with urllib.request.urlopen(endpoint_url, timeout=2):  # noqa: S310
                return
        except urllib.error.HTTPError:  # it answers: that will do
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise EmulatorError(f"the embedded AWS does not answer at {endpoint_url}") from None
        time.sleep(0.03)


def _progress(text: str) -> None:
    _say(progress=text)


def _say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> int:
    try:
        _say(provisioned=asdict(provision(Order.parse(sys.stdin.read()))))
    except DeployError as error:
        _say(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
