"""boto3's clients behind this package's protocol: slower, but with everything that botocore supports."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

from botocore import exceptions as theirs
from botocore import xform_name
from botocore.config import Config
from botocore.session import Session

from awsjson.answers import typed_error
from awsjson.config import CredentialSource
from awsjson.errors import AwsError, ConfigurationError, ConnectionFailed, DeadlineExceeded

UNREACHED = (theirs.EndpointConnectionError, theirs.ConnectTimeoutError, theirs.ProxyConnectionError, theirs.SSLError)
MISCONFIGURED = (
    theirs.NoRegionError,
    theirs.NoCredentialsError,
    theirs.PartialCredentialsError,
    theirs.UnknownServiceError,
    theirs.ProfileNotFound,
)


class BotoThreads:
    """Calls AWS through botocore's own clients (the ones that boto3 uses) in a thread pool.

    Parameters, answers and errors are those of AwsJson, so that either can implement a port; it takes about five times
    the CPU. It supports what AwsJson leaves out: proxies, account-based endpoints, services of other protocols,
    parameter validation.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: CredentialSource | None = None,
        threads: int = 8,
        connect_timeout: float = 2.0,
        read_timeout: float = 10.0,
        max_attempts: int = 4,
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._credentials = credentials
        self._threads = threads
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_attempts = max_attempts
        self._session: Session | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._clients: dict[tuple[str, bool], Any] = {}
        self._making = asyncio.Lock()

    async def open(self, *services: str) -> None:
        """Makes the client ready (a second call does nothing) and loads `services` ahead of their first call."""
        if self._pool is not None:
            return
        self._session = Session()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="boto")
        for service in services:
            await self._client(service, retry_unknown=True)

    async def close(self) -> None:
        """Waits for the calls in flight: a thread cannot be stopped."""
        pool, self._pool = self._pool, None
        self._clients.clear()
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def call(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        timeout: float | None = None,
        retry_unknown: bool = True,
    ) -> dict[str, Any]:
        """Like AwsJson.call. After `timeout` the caller goes on, while the call itself ends in its thread.

        `retry_unknown=False` means one attempt, because botocore does not say what it retries. Raises AwsError.
        """
        where: dict[str, Any] = {"service": service, "operation": operation}
        try:
            async with asyncio.timeout(timeout):
                client = await self._client(service, retry_unknown=retry_unknown)
                if operation not in client.meta.service_model.operation_names:
                    raise ConfigurationError(f"there is no operation {operation!r}", **where)
                method = getattr(client, xform_name(operation))
                answer = await self._in_thread(partial(method, **params))
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer in {timeout} s", **where) from error
        except (theirs.ClientError, theirs.BotoCoreError) as error:
            raise _typed_error(error, where) from error
        answer.pop("ResponseMetadata", None)
        return answer

    async def _in_thread(self, method: Any) -> dict[str, Any]:
        if self._pool is None:
            raise RuntimeError("the client is not open: use `async with client` or `await client.open()`")
        answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(self._pool, method)
        return answer

    async def _client(self, service: str, *, retry_unknown: bool) -> Any:
        key = (service, retry_unknown)
        async with self._making:
            if key not in self._clients:
                self._clients[key] = await self._in_thread(partial(self._make, *key))
        return self._clients[key]

    def _make(self, service: str, retry: bool) -> Any:
        assert self._session is not None
        options: dict[str, Any] = {}
        if self._credentials is not None:
            keys = self._credentials.get_frozen_credentials()
            options = {
                "aws_access_key_id": keys.access_key,
                "aws_secret_access_key": keys.secret_key,
                "aws_session_token": keys.token,
            }
        config = Config(
            max_pool_connections=self._threads,
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
            retries={"mode": "standard", "total_max_attempts": self._max_attempts if retry else 1},
        )
        return self._session.create_client(
            service,
            region_name=self._region,
            endpoint_url=self._endpoint_url,
            config=config,
            **options,
        )


def _typed_error(error: theirs.ClientError | theirs.BotoCoreError, where: dict[str, Any]) -> AwsError:
    """This package's error for one of botocore's: an answer of the service, or a failure to get one."""
    if isinstance(error, theirs.ClientError):
        response: dict[str, Any] = dict(error.response)
        details, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        # services that once spoke the query protocol have the modelled name in another field
        code = re.sub(r".*#", "", details.get("QueryErrorCode") or details.get("Code") or "Unknown")
        status, request_id = meta.get("HTTPStatusCode", 0), meta.get("RequestId", "")
        return typed_error(code, details.get("Message", ""), response, status=status, request_id=request_id, **where)
    if isinstance(error, UNREACHED):
        return ConnectionFailed(str(error), **where)
    if isinstance(error, theirs.ReadTimeoutError):
        return DeadlineExceeded(str(error), **where)
    if isinstance(error, theirs.HTTPClientError):
        return ConnectionFailed(str(error), sent=True, **where)
    if isinstance(error, MISCONFIGURED):
        return ConfigurationError(str(error), **where)
    return AwsError(type(error).__name__, str(error), retryable=False, **where)
