"""Deploys a stage onto the embedded AWS, in a process of its own.

The supervisor runs it beside the start of the emulator, and again after a change of code: it imports the services as
they are now, and what they import leaves with it. It speaks in lines of JSON: {"progress": ...}, and at the end
{"environments": ...} or {"error": ...}.
"""

import json
import platform
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.aws import REGION, Aws
from deploy.embedded.emulator import emulator_venv
from deploy.errors import DeployError, EmulatorError
from deploy.packaging import interpreter_of
from deploy.stage import deploy, prepare, synthesize
from deploy.template import Target

EMULATOR_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """What to deploy where: read from standard input as JSON."""

    stage: str
    endpoint_url: str
    root: Path
    cache: Path

    @classmethod
    def parse(cls, text: str) -> "Order":
        given = json.loads(text)
        return cls(given["stage"], given["endpoint_url"], Path(given["root"]), Path(given["cache"]))

    def render(self) -> str:
        return json.dumps(
            {"stage": self.stage, "endpoint_url": self.endpoint_url, "root": str(self.root), "cache": str(self.cache)}
        )


def provision(order: Order) -> dict[str, dict[str, str]]:
    """Deploy, and return the environment of each service. Raises DeployError."""
    interpreter = interpreter_of(emulator_venv())
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    target = Target(order.stage, local=True, runtime=interpreter.runtime, architecture=machine)
    _say(progress="reading the declarations")
    plan = synthesize(target, root=order.root)
    packages = prepare(plan, interpreter, order.cache, root=order.root, region=REGION, progress=_progress)
    _await_emulator(order.endpoint_url)
    return deploy(Aws(order.endpoint_url), plan, packages, progress=_progress)


def _await_emulator(endpoint_url: str) -> None:
    deadline = time.monotonic() + EMULATOR_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{endpoint_url}/_ministack/health", timeout=2):  # noqa: S310
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
        _say(environments=provision(Order.parse(sys.stdin.read())))
    except DeployError as error:
        _say(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
