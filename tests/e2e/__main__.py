"""`make e2e`: the first day against --target ministack, localstack, url (--endpoint ...) or aws (--yes)."""

import argparse
import asyncio
import os
import sys
import time
from contextlib import AbstractAsyncContextManager

from rich.console import Console
from rich.markup import escape

from deploy.errors import DeployError, RefusedError
from deploy.stage.environment import Options
from deploy.template.base import PYTHON
from examples.first_day.client import UnexpectedAnswerError
from examples.first_day.inputs import SAMPLE, read_inputs
from examples.first_day.report import show
from examples.first_day.run import Scene, play_at
from tests.e2e.targets import NoDockerError, Teller, at_url, on_aws, on_localstack, on_ministack, unique_stage

NO_DOCKER = 3
TARGETS = ("ministack", "localstack", "url", "aws")


def target(given: argparse.Namespace, tell: Teller) -> AbstractAsyncContextManager[Scene]:
    """The target of the options. Raises RefusedError for an unknown one, and without its address or confirmation."""
    lambdas = given.runtime == "lambda"
    match given.target:
        case "ministack":
            return on_ministack(tell, lambdas=lambdas)
        case "localstack":
            return on_localstack(tell, lambdas=lambdas)
        case "url":
            endpoint = given.endpoint.rstrip("/")
            if not endpoint.startswith(("http://", "https://")):
                raise RefusedError("TARGET=url needs AWS_ENDPOINT_URL=http://..., where an AWS listens already")
            return at_url(tell, endpoint, lambdas=lambdas)
        case "aws":
            region = os.environ.get("AWS_REGION", "us-east-1")
            options = Options(unique_stage(), region=region, architecture=given.architecture, python=given.python)
            return on_aws(tell, options, confirmed=given.yes)
    raise RefusedError(f"there is no target {given.target!r}; use {', '.join(TARGETS)}")


async def play(given: argparse.Namespace, tell: Teller) -> bool:
    """Whether every effect of the day exists exactly once."""
    async with target(given, tell) as scene:
        day, outcome, _ = await play_at(scene, read_inputs(SAMPLE), progress=tell)
        show(Console(width=None if sys.stdout.isatty() else 140, highlight=False), day, outcome)
    return outcome.good


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e", description=__doc__)
    parser.add_argument("--target", default="ministack", help=", ".join(TARGETS))
    parser.add_argument("--endpoint", default="", help="of the target url")
    parser.add_argument("--runtime", default="worker", help="lambda: functions instead of processes, where they work")
    parser.add_argument("--architecture", default="arm64", help="of the functions on aws")
    parser.add_argument("--python", default=PYTHON, help="of the functions on aws")
    parser.add_argument("--yes", action="store_true", help="confirms that the target aws costs money")
    given, errors = parser.parse_args(arguments), Console(stderr=True, highlight=False)
    try:
        good = asyncio.run(play(given, Teller(errors, time.monotonic())))
    except NoDockerError as error:
        errors.print(escape(str(error)), soft_wrap=True)
        return NO_DOCKER
    except (DeployError, UnexpectedAnswerError) as error:
        errors.print(f"[red]error[/] {escape(str(error))}", soft_wrap=True)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
