"""The one port to AWS: `call(service, operation, params)` on the hot paths, boto3 in a pool of ours elsewhere."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from awsjson import AwsJson

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")

BOTO3_THREADS = 8


class AwsCalls(Protocol):
    """JSON-protocol services by boto3's parameter dicts. Raises awsjson's typed errors."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]: ...


class Aws:
    """Both ways to AWS, opened and closed with the process."""

    def __init__(self, region: str, endpoint_url: str | None) -> None:
        self.region, self.endpoint_url = region, endpoint_url
        self.json = AwsJson(region=region, endpoint_url=endpoint_url)
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
        return await self.json.call(service, operation, params, timeout=timeout)

    async def boto3(self, service: str, use: Callable[[Any], T]) -> T:
        """Run `use(client)` in our own pool, which closing waits for. Raises botocore's errors."""
        return await self.threaded(lambda: use(self._client(service)))

    async def threaded(self, work: Callable[[], T]) -> T:
        """Run blocking work in our own pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _client(self, service: str) -> Any:
        # Imported by the first who needs it: most functions never do, and each would pay for it at every cold start.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        with self._making:  # a session makes one client at a time; a made client is safe for all threads
            if self._session is None:
                self._session = boto3.session.Session(region_name=self.region)
            if service not in self._clients:
                config = Config(
                    connect_timeout=3,
                    read_timeout=15,
                    retries={"mode": "standard", "total_max_attempts": 3},
                    max_pool_connections=BOTO3_THREADS,
                )
                if service == "s3":
                    config = config.merge(Config(**self._s3_options()))
                self._clients[service] = self._session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]
            return self._clients[service]

    def _s3_options(self) -> dict[str, Any]:
        # Left alone, boto3 presigns with the old signature that new buckets refuse, and names the global endpoint,
        # which sends a form for another region elsewhere.
        style = "path" if self.endpoint_url else "virtual"
        return {"signature_version": "s3v4", "s3": {"addressing_style": style}}
