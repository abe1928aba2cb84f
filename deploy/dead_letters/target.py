"""The stage that a command works on: one that is named, or what `make up` runs on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chassis.declare.resource_names import Names
from deploy.aws import REGION, Aws
from deploy.errors import DeployError, StackError
from deploy.local.lock import FolderLock
from deploy.local.status import Status
from deploy.local.supervisor_client import ask
from deploy.services import ROOT
from deploy.stage.environment import caller_identity
from deploy.template import Target

LOCAL_STAGE = "local"


@dataclass(frozen=True)
class OperatedStage:
    """One stage, and who works on it."""

    aws: Aws
    names: Names
    operator: str = "unknown"

    @property
    def is_embedded(self) -> bool:
        return self.aws.endpoint_url is not None


def operated_stage(stage: str | None, endpoint: str | None, region: str = REGION) -> OperatedStage:
    """Raises DeployError, in one line, for a stage or an AWS that cannot be reached."""
    if stage is None and endpoint is None:
        state = Path(os.environ.get("TENFOLD_STATE") or ROOT / ".local/state")
        status = Status.read(state)
        if FolderLock(state).holder() is None or status is None:
            raise DeployError("nothing runs on this machine; start it with `make up`, or say STAGE=...")
        endpoint = str(ask(status.base_url, "/status")["endpoint_url"])
    aws = Aws(endpoint, region)
    names = Target(stage or LOCAL_STAGE).names  # refuses what cannot be a stage
    return OperatedStage(aws, names, caller_identity(aws))


@contextmanager
def asking_aws(action: str) -> Iterator[None]:
    """Turn an error of AWS into one line that says which action failed. Raises StackError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot {action}: {error}") from error
