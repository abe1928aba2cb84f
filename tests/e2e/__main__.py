"""`make e2e`: the first day against TARGET=ministack, localstack, url (AWS_ENDPOINT_URL=...) or aws (YES=1)."""

import asyncio
import os
import sys
import time
from contextlib import AbstractAsyncContextManager

from rich.console import Console
from rich.markup import escape

from deploy.stage.errors import DeployError, RefusedError
from examples.first_day.client import UnexpectedAnswerError
from examples.first_day.inputs import SAMPLE, read_inputs
from examples.first_day.report import show
from examples.first_day.run import Scene, play_at
from tests.e2e.targets import NoDockerError, Teller, at_url, on_aws, on_localstack, on_ministack

NO_DOCKER = 3
TARGETS = ("ministack", "localstack", "url", "aws")


def target(tell: Teller) -> AbstractAsyncContextManager[Scene]:
    """The one that the environment names. Raises RefusedError for none of them."""
    name = os.environ.get("TARGET") or "ministack"
    match name:
        case "ministack":
            return on_ministack(tell)
        case "localstack":
            return on_localstack(tell)
        case "url":
            endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
            if not endpoint.startswith(("http://", "https://")):
                raise RefusedError("TARGET=url needs AWS_ENDPOINT_URL=http://..., where an AWS listens already")
            return at_url(tell, endpoint)
        case "aws":
            return on_aws(tell, confirmed=os.environ.get("YES") == "1")
    raise RefusedError(f"there is no target {name!r}; use {', '.join(TARGETS)}")


async def play(tell: Teller) -> bool:
    """Whether every effect of the day exists exactly once."""
    async with target(tell) as scene:
        day, outcome, _ = await play_at(scene, read_inputs(SAMPLE), progress=tell)
        show(Console(width=None if sys.stdout.isatty() else 140, highlight=False), day, outcome)
    return outcome.good


def main() -> int:
    errors = Console(stderr=True, highlight=False)
    try:
        good = asyncio.run(play(Teller(errors, time.monotonic())))
    except NoDockerError as error:
        errors.print(escape(str(error)), soft_wrap=True)
        return NO_DOCKER
    except (DeployError, UnexpectedAnswerError) as error:
        errors.print(f"[red]error[/] {escape(str(error))}", soft_wrap=True)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
