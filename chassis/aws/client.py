"""The one port to AWS: `call(service, operation, params)` on the hot paths, boto3 in a pool of ours elsewhere."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from botocore.exceptions import ClientError, HTTPClientError

from awsjson import AwsJson, Config
from chassis.errors import Unavailable
from chassis.resilience.breaker import Breaker, is_no_answer
from chassis.resilience.deadline import left

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")

CALLS = Config(max_attempts=8, backoff_base=0.025)
"""The retries of AWS calls, set here and nowhere else. All calls of a process share one retry budget."""
CALL_SECONDS = 10.0
BOTO3_THREADS = 8
BOTO3_SECONDS = 20.0
"""Seconds for all attempts of a call and its wait for a thread."""
OUTSIDE = {"cognito-idp": "The identity provider", "sesv2": "The mail service", "s3": "The store of files"}
"""Services that are not needed for most work: each has a circuit breaker, which pauses calls while it does not
answer."""


class AwsCalls(Protocol):
    """The port to AWS services of the JSON protocols, with boto3's parameter dicts. Raises awsjson's typed errors."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]: ...


class Aws:
    """The AWS clients of a process, awsjson and boto3, opened and closed with it."""

    def __init__(self, region: str, endpoint_url: str | None, json: AwsJson | None = None) -> None:
        self.region, self.endpoint_url = region, endpoint_url
        self.json = json or AwsJson(region=region, endpoint_url=endpoint_url, config=CALLS)
        self._breakers = {service: Breaker(name, counts=_no_answer) for service, name in OUTSIDE.items()}
        self._pool = ThreadPoolExecutor(BOTO3_THREADS, thread_name_prefix="boto3")
        self._session: boto3.session.Session | None = None
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    async def open(self) -> None:
        await self.json.open()

    async def close(self) -> None:
        await self.json.close()
        await asyncio.get_running_loop().run_in_executor(None, partial(self._pool.shutdown, wait=True))

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Call an operation, for at most `timeout` seconds (10 by default) and never beyond the deadline of the work at
        hand. Raises awsjson's errors, and Unavailable when that deadline has passed or the circuit breaker is open."""
        with self._guarding(service):
            return await self.json.call(service, operation, params, timeout=left(timeout or CALL_SECONDS))

    async def boto3(self, service: str, use: Callable[[Any], T]) -> T:
        """Run `use(client)` in a thread of our own pool, which `close` waits for. Raises botocore's errors and, as
        `call` does, Unavailable."""
        with self._guarding(service):
            try:
                async with asyncio.timeout(left(BOTO3_SECONDS)):
                    return await self.run_in_thread(lambda: use(self._client(service)))
            except TimeoutError as error:
                raise Unavailable(f"{OUTSIDE.get(service, service)} does not answer in time; try again.") from error

    async def boto3_offline(self, service: str, use: Callable[[Any], T]) -> T:
        """Like `boto3`, for work that only computes, such as presigning: it makes no call, so it needs no breaker."""
        return await self.run_in_thread(lambda: use(self._client(service)))

    def _guarding(self, service: str) -> AbstractContextManager[None]:
        breaker = self._breakers.get(service)
        return breaker.guarding() if breaker else nullcontext()

    async def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread of our own pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _client(self, service: str) -> Any:
        # Imported at first use: most functions never need it, and each would pay for it at every cold start.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        with self._making:  # a session makes one client at a time; a made client is safe for all threads
            if self._session is None:
                self._session = boto3.session.Session(region_name=self.region)
            if service not in self._clients:
                config = Config(
                    connect_timeout=3,
                    read_timeout=8,
                    retries={"mode": "standard", "total_max_attempts": 3},
                    max_pool_connections=BOTO3_THREADS,
                )
                if service == "s3":
                    # Left alone, boto3 presigns with the old signature that new buckets refuse, and names the global
                    # endpoint, which sends a form for another region elsewhere.
                    style: Literal["path", "virtual"] = "path" if self.endpoint_url else "virtual"
                    config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": style}))
                self._clients[service] = self._session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]
            return self._clients[service]


def _no_answer(error: BaseException) -> bool:
    """`is_no_answer`, for botocore's errors, too."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return isinstance(error, HTTPClientError) or is_no_answer(error)
