"""The AWS that a command calls: an account, or an endpoint that behaves like one."""

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.errors import StackError

REGION = "us-east-1"
LOCAL_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
"""Credentials that an embedded AWS accepts; never a secret."""


@dataclass(frozen=True)
class Aws:
    """One AWS. With an `endpoint_url` it is an embedded one and gets the fixed test credentials; without, boto3 looks
    the credentials up in its usual places."""

    endpoint_url: str | None = None
    region: str = REGION
    _session: boto3.Session = field(default_factory=boto3.Session, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """A boto3 client with timeouts (5 s to connect, 60 s to read) and three attempts. Safe from any thread."""
        return self._client(service, read_timeout=60, attempts=3)

    def brief(self, service: str) -> Any:
        """A client for calls that may never be answered: 5 s to connect, 5 s to read, one attempt."""
        return self._client(service, read_timeout=5, attempts=1)

    def _client(self, service: str, read_timeout: int, attempts: int) -> Any:
        config = Config(
            region_name=self.region,
            connect_timeout=5,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=32,
        )
        keys: dict[str, str] = {}
        if self.endpoint_url:
            keys = {
                "aws_access_key_id": LOCAL_CREDENTIALS["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": LOCAL_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            }
        with self._lock:  # a session may be used by several threads, but not while it makes a client
            return self._session.client(  # type: ignore[call-overload]
                service, endpoint_url=self.endpoint_url, config=config, **keys
            )


def parameter(aws: Aws, path: str) -> str | None:
    """The value of an SSM parameter; None if there is none. Raises StackError if AWS does not answer."""
    try:
        parameters = aws.client("ssm").get_parameters(Names=[path])["Parameters"]
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read the parameter {path}: {error}") from error
    return str(parameters[0]["Value"]) if parameters else None
