"""Release history in the stage's artifact bucket: the healthy deployments, which a rollback goes back to."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import RefusedError, StackError

PREFIX = "deployments"
STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Release:
    """One healthy deployment of one service. `version` is the code's, `at` the time of the deployment (STAMP)."""

    service: str
    version: str
    at: str
    body: str
    parameters: dict[str, str]

    @property
    def key(self) -> str:
        return f"{PREFIX}/{self.service}/{self.at}.json"


def stamp(now: datetime) -> str:
    """A time in the form of releases, which sorts by time."""
    return now.strftime(STAMP)


class ReleaseHistory:
    """The releases of one stage's services."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._s3, self._bucket = aws.client("s3"), bucket

    def add(self, release: Release) -> None:
        """Raises StackError."""
        try:
            body = json.dumps(asdict(release)).encode()
            self._s3.put_object(Bucket=self._bucket, Key=release.key, Body=body)
        except (ClientError, BotoCoreError) as error:
            raise StackError(f"cannot record the release of {release.service} in {self._bucket}: {error}") from error

    def all(self, service: str) -> list[str]:
        """The keys of its releases, oldest first. Raises StackError."""
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{PREFIX}/{service}/"
            )
            return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))
        except (ClientError, BotoCoreError) as error:
            raise StackError(f"cannot read the releases of {service} in {self._bucket}: {error}") from error

    def before(self, service: str, body: str, parameters: dict[str, str]) -> Release:
        """The newest release that differs from the running one. Raises RefusedError if there is none, or StackError."""
        for key in reversed(self.all(service)):
            try:
                content = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
                release = Release(**json.loads(content))
            except (ClientError, BotoCoreError, ValueError, TypeError) as error:
                raise StackError(f"cannot read the release {key}: {error}") from error
            if (release.body, release.parameters) != (body, parameters):
                return release
        raise RefusedError(f"{service} has no earlier release to go back to")
