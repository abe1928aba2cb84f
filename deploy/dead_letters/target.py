"""Which stage of which AWS a command works on: a stage that is named, or what `make up` runs on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chassis.declare.resource_names import Names
from deploy.local.control import ask
from deploy.local.lock import FolderLock
from deploy.local.supervise import Status
from deploy.services import ROOT
from deploy.stage.aws import REGION, Aws
from deploy.stage.environment import caller_identity
from deploy.stage.errors import DeployError, StackError
from deploy.template import Target

LOCAL_STAGE = "local"


@dataclass(frozen=True)
class Where:
    """One stage, and who works on it."""

    aws: Aws
    names: Names
    operator: str = "unknown"

    @property
    def embedded(self) -> bool:
        return self.aws.endpoint_url is not None


def where(stage: str | None, endpoint: str | None, region: str = REGION) -> Where:
    """Raises DeployError, in one line, for a stage or an AWS that cannot be reached."""
    if stage is None and endpoint is None:
        endpoint = _running_endpoint()
    aws = Aws(endpoint, region)
    names = Target(stage or LOCAL_STAGE).names  # refuses what cannot be a stage
    return Where(aws, names, caller_identity(aws))


def _running_endpoint() -> str:
    state = Path(os.environ.get("TENFOLD_STATE") or ROOT / ".local/state")
    told = Status.read(state)
    if FolderLock(state).holder() is None or told is None:
        raise DeployError("nothing runs on this machine; start it with `make up`, or say STAGE=...")
    return str(ask(told.base_url, "/status")["endpoint_url"])


@contextmanager
def asking_aws(what: str) -> Iterator[None]:
    """Turns an error of AWS into one line that says what could not be done. Raises StackError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot {what}: {error}") from error
