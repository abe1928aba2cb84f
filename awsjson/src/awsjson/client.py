"""The client: loads its configuration and takes a call through its attempts."""

import asyncio
import random as randomness
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import aiohttp
from yarl import URL

from awsjson.codec import encode
from awsjson.config import Config, CredentialSource, Faults
from awsjson.environment import Environment, Target
from awsjson.errors import AwsError, DeadlineExceeded
from awsjson.keys import Keys
from awsjson.retry import RETRY_COST, SUCCESS_REFUND, TIMEOUT_COST, RetryBudget, full_jitter
from awsjson.sending import Call, Sender
from awsjson.signing import Clock, utc_now

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

DEFAULT_CONFIG = Config()


class AwsJson:
    """Calls AWS's JSON-protocol services with boto3's parameter dicts; belongs to the event loop that opens it.

    Region, endpoints (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>, FIPS, dualstack) and credentials default to what
    botocore finds. Blobs are bytes both ways; timestamps are datetimes. `tracing` records an OpenTelemetry span per
    call, with the given provider or (True) the global one.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        config: Config = DEFAULT_CONFIG,
        credentials: CredentialSource | None = None,
        faults: Faults | None = None,
        tracing: "bool | TracerProvider" = False,
        random: Callable[[], float] = randomness.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.config = config
        self.budget = RetryBudget(config.retry_capacity)
        self._region = region
        self._endpoint_url = endpoint_url
        self._credentials = credentials
        self._faults = faults
        self._random = random
        self._sleep = sleep
        self._clock = Clock(now)
        self._targets: dict[str, tuple[Target, URL]] = {}
        self._environment: Environment | None = None
        self._environment_lock = asyncio.Lock()
        self._sender: Sender | None = None
        self._tracing = None
        if tracing:
            # imported here: OpenTelemetry is optional, and a client without it must not pay for it
            from awsjson.tracing import Tracing  # noqa: PLC0415

            self._tracing = Tracing(None if tracing is True else tracing)

    async def open(self, *services: str) -> None:
        """Makes the client ready (a second call does nothing) and loads `services` ahead of their first call.

        Raises ConfigurationError if no region is configured.
        """
        if self._sender is not None:
            return
        keys = await asyncio.to_thread(self._find_keys)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self.config.max_connections, ttl_dns_cache=60, keepalive_timeout=self.config.keepalive
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.config.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        self._sender = Sender(session, keys, self._clock, self._faults)
        for service in services:
            await self._load(service)

    async def close(self) -> None:
        """Closes the connections; calls in flight fail. A closed client can be opened again."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.session.close()

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
        timeout: float | None = None,  # a deadline over all attempts
        retry_unknown: bool = True,
    ) -> dict[str, Any]:
        """Calls `operation` ("PutItem") of `service` ("dynamodb") and returns its answer.

        `timeout` (seconds) is a deadline over all attempts; without one each attempt has `Config.read_timeout`.
        An attempt that may have been executed (no answer in time, 5xx, a reset after sending) is retried:
        transactions and other calls that take an idempotency token get one and happen once. If another call is not
        idempotent, pass `retry_unknown=False`.

        Raises AwsError or a subclass; TypeError for parameters that JSON cannot carry; RuntimeError if not open.
        """
        call = await self._prepare(service, operation, params, timeout, retry_unknown)
        if self._tracing is None:
            return await self._run(call)
        with self._tracing.span(call):
            return await self._run(call)

    async def _run(self, call: Call) -> dict[str, Any]:
        while True:
            try:
                answer = await self._open_sender().attempt(call)
            except AwsError as error:
                call.outcome_unknown = error.outcome_unknown = call.outcome_unknown or error.outcome_unknown
                delay = self._delay_before_retry(call, error)
                if delay is None:
                    raise
            else:
                self.budget.refund(call.spent or SUCCESS_REFUND)
                return answer
            await self._sleep(delay)

    async def _prepare(
        self, service: str, operation: str, params: Mapping[str, Any], patience: float | None, retry_unknown: bool
    ) -> Call:
        deadline = None if patience is None else asyncio.get_running_loop().time() + patience
        target, url = self._targets.get(service) or await self._load(service)
        described = target.service.operation(operation)
        missing = [name for name in described.token_members if name not in params]
        if missing:
            params = {**params, **{name: str(uuid4()) for name in missing}}
        # a long poll answers only after its wait, however short the client's timeout
        attempt_timeout = self.config.read_timeout + float(params.get("WaitTimeSeconds") or 0)
        body = encode(params, iso_times=described.iso_times)
        return Call(target, url, described, params, body, attempt_timeout, deadline, retry_unknown)

    def _delay_before_retry(self, call: Call, error: AwsError) -> float | None:
        """Seconds to wait before the next attempt; None if the error must be raised."""
        if call.attempts >= self.config.max_attempts:
            return None
        if call.corrected_now:
            return 0.0
        if not error.is_retryable or (call.outcome_unknown and not call.retry_unknown):
            return None
        config = self.config
        delay = full_jitter(call.attempts, base=config.backoff_base, cap=config.backoff_cap, random=self._random)
        if call.deadline is not None and asyncio.get_running_loop().time() + delay >= call.deadline:
            return None
        cost = TIMEOUT_COST if isinstance(error, DeadlineExceeded) else RETRY_COST
        if not self.budget.spend(cost):
            return None
        call.spent += cost
        return delay

    def _open_sender(self) -> Sender:
        if self._sender is None:
            raise RuntimeError("the client is not open: use `async with client` or `await client.open()`")
        return self._sender

    def _find_keys(self) -> Keys:
        """The keys, from the session that also finds region and endpoints; it reads files, so it runs in a thread."""
        if self._environment is None:
            self._environment = Environment(self._region, self._endpoint_url)
        self._environment.region()
        if self._credentials is not None:
            return Keys(self._credentials)
        return Keys(self._environment.credentials(), self._environment.rediscover_credentials)

    async def _load(self, service: str) -> tuple[Target, URL]:
        self._open_sender()  # a closed client loads nothing
        async with self._environment_lock:
            if service not in self._targets:
                assert self._environment is not None
                target = await asyncio.to_thread(self._environment.target, service)
                self._targets[service] = (target, URL(target.url))
        return self._targets[service]
