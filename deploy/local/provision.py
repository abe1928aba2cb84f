"""Deploys a stage to the embedded AWS, in a process of its own.

The supervisor runs it while the emulator starts, and again after a change of code: it imports the services in their
present state, and all of it ends with the process. It prints lines of JSON: {"progress": ...}, and at the end
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
from deploy.aws import REGION, Aws, parameter
from deploy.embedded.emulator import emulator_venv
from deploy.embedded.identities import process_credentials, translate_policies
from deploy.errors import DeployError, EmulatorError, StackError
from deploy.package.packaging import interpreter_of
from deploy.stage.settings import settings_of
from deploy.stage.stacks import Stacks
from deploy.stage.stage import deploy, prepare, synthesize
from deploy.template import Target

EMULATOR_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """The order to deploy a stage: read from standard input as JSON."""

    stage: str
    endpoint_url: str
    root: Path
    cache: Path
    lambdas: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    """Environment variables of every function."""
    without: tuple[str, ...] = ()
    """AWS services that this AWS lacks."""
    enforced: bool = False
    """Whether the embedded AWS enforces IAM; each process then gets credentials of its own."""

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
    """The outcome for the supervisor: the environment variables of each service's process; in the Lambda runtime also
    the address of the HTTP API, and the OpenAPI document of each service, which no process serves then."""

    environments: dict[str, dict[str, str]]
    api_url: str | None = None
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)


def provision(order: Order) -> Provisioned:
    """Deploy the stage. Raises DeployError."""
    interpreter, settings = interpreter_of(emulator_venv()), settings_of(order.stage, order.root)
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    target = Target(
        order.stage,
        local=True,
        runtime=interpreter.runtime,
        architecture=machine,
        lambdas=order.lambdas,
        environment=order.environment,
        settings=settings.variables,
        without=frozenset(order.without),
    )
    _progress("reading the declarations")
    plan = synthesize(target, root=order.root)
    packages = prepare(
        plan,
        interpreter,
        order.cache,
        root=order.root,
        region=REGION,
        progress=_progress,
        tree_shaking=settings.tree_shaking,
    )
    _await_emulator(order.endpoint_url)
    aws = Aws(order.endpoint_url)
    environments = deploy(aws, plan, packages, progress=_progress)
    for name in plan.services if order.enforced else ():
        translate_policies(aws, target.names.stack(name))
        if not order.lambdas:  # functions have the role of their template
            outputs = Stacks(aws).outputs(target.names.stack(name))
            environments[name] |= process_credentials(aws, target.names, name, outputs)
    if not order.lambdas:
        return Provisioned(environments)
    documents = {name: document(service(name)) for name in plan.services}
    return Provisioned(environments, api_url(aws, target), documents)


def api_url(aws: Aws, target: Target) -> str:
    """The address of the stage's HTTP API on the embedded AWS. Raises StackError if there is none."""
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
        except urllib.error.HTTPError:  # an answer, so it is up
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise EmulatorError(f"the embedded AWS does not answer at {endpoint_url}") from None
        time.sleep(0.03)


def _progress(text: str) -> None:
    _print(progress=text)


def _print(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> int:
    try:
        _print(provisioned=asdict(provision(Order.parse(sys.stdin.read()))))
    except DeployError as error:
        _print(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
