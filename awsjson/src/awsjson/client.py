"""The client: one call is signing, attempts within a deadline, and a typed answer."""

import asyncio
import random as randomness
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp
from yarl import URL

from awsjson import answers
from awsjson.codec import encode
from awsjson.config import Config, CredentialSource, Faults
from awsjson.environment import Environment, Target
from awsjson.errors import AwsError, ConnectionFailed, DeadlineExceeded
from awsjson.retry import RETRY_COST, SUCCESS_REFUND, TIMEOUT_COST, RetryBudget, full_jitter
from awsjson.service import Operation
from awsjson.signing import SKEW_CODES, Clock, Keys, sign, utc_now

DEFAULT_CONFIG = Config()


@dataclass(slots=True)
class _Call:
    """One call on its way through its attempts."""

    target: Target
    url: URL
    operation: Operation
    params: Mapping[str, Any]
    body: bytes
    attempt_timeout: float
    deadline: float | None
    retry_unknown: bool
    spent: int = 0
    outcome_unknown: bool = False
    skew_corrected: bool = False


class AwsJson:
    """Calls AWS's JSON-protocol services with boto3's parameter dicts; belongs to the event loop that opens it.

    Region, endpoints (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>, FIPS, dualstack) and credentials default to what
    botocore finds. Blobs are bytes both ways; timestamps are datetimes.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        config: Config = DEFAULT_CONFIG,
        credentials: CredentialSource | None = None,
        faults: Faults | None = None,
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
        self._keys = Keys(credentials)
        self._targets: dict[str, tuple[Target, URL]] = {}
        self._environment: Environment | None = None
        self._environment_lock = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def open(self, *services: str) -> None:
        """Makes the client ready (a second call does nothing); names of services to read ahead are optional.

        Raises ConfigurationError where no region is known.
        """
        if self._session is not None:
            return
        await asyncio.to_thread(self._look_around)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self.config.max_connections, ttl_dns_cache=60, keepalive_timeout=self.config.keepalive
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.config.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        for service in services:
            await self._load(service)

    async def close(self) -> None:
        """Closes the connections; calls in flight fail. A closed client can be opened again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

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
        An attempt that may have been executed (no answer in time, 5xx, a reset after sending) is tried again:
        transactions and other calls with an idempotency token get one and stay exact; whether the rest are idempotent
        is the caller's business, who can pass `retry_unknown=False`.

        Raises AwsError or a subclass; TypeError for parameters that JSON cannot carry; RuntimeError if not open.
        """
        call = await self._prepare(service, operation, params, timeout, retry_unknown)
        for attempt in range(1, self.config.max_attempts + 1):
            try:
                answer = await self._attempt(call)
            except AwsError as error:
                call.outcome_unknown = error.outcome_unknown = call.outcome_unknown or error.outcome_unknown
                delay = self._delay_before_retry(call, error, attempt)
                if delay is None:
                    raise
            else:
                self.budget.refund(call.spent or SUCCESS_REFUND)
                return answer
            await self._sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    async def _prepare(
        self, service: str, operation: str, params: Mapping[str, Any], patience: float | None, retry_unknown: bool
    ) -> _Call:
        target, url = self._targets.get(service) or await self._load(service)
        described = target.service.operation(operation)
        missing = [name for name in described.token_members if name not in params]
        if missing:
            params = {**params, **{name: str(uuid4()) for name in missing}}
        # a long poll answers only after its wait, however short the client's patience
        attempt_timeout = self.config.read_timeout + float(params.get("WaitTimeSeconds") or 0)
        deadline = None if patience is None else asyncio.get_running_loop().time() + patience
        return _Call(target, url, described, params, encode(params), attempt_timeout, deadline, retry_unknown)

    async def _attempt(self, call: _Call) -> dict[str, Any]:
        service, operation = call.target.service.name, call.operation.name
        if self._faults is not None:
            await self._faults.before(service, operation, call.params)
        limit = call.attempt_timeout
        if call.deadline is not None:
            limit = min(limit, call.deadline - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(limit):
                answer = await self._send(call)
        except aiohttp.ConnectionTimeoutError as error:
            raise ConnectionFailed(
                f"no connection to {call.url} in time", service=service, operation=operation
            ) from error
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer in {limit:.3g} s", service=service, operation=operation) from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectionFailed(str(error), service=service, operation=operation) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ConnectionFailed(repr(error), sent=True, service=service, operation=operation) from error
        if self._faults is not None:
            await self._faults.after(service, operation, call.params)
        return answer

    async def _send(self, call: _Call) -> dict[str, Any]:
        session = self._opened()
        headers = call.operation.headers
        if not call.operation.unsigned:
            headers = sign(call.target, headers, call.body, await self._keys.current(), self._clock.now())
        async with session.post(call.url, data=call.body, headers=headers, allow_redirects=False) as response:
            raw = await response.read()
            try:
                return answers.result(call.target.service, call.operation, response.status, response.headers, raw)
            except AwsError as error:
                if error.code in SKEW_CODES and not call.skew_corrected:
                    call.skew_corrected = self._clock.learn(response.headers.get("Date"))
                    error.skew_corrected = call.skew_corrected
                raise

    def _delay_before_retry(self, call: _Call, error: AwsError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, or None where the error must be raised."""
        if attempt >= self.config.max_attempts:
            return None
        if error.skew_corrected:
            return 0.0
        if not error.is_retryable or (call.outcome_unknown and not call.retry_unknown):
            return None
        delay = full_jitter(attempt, base=self.config.backoff_base, cap=self.config.backoff_cap, random=self._random)
        if call.deadline is not None and asyncio.get_running_loop().time() + delay >= call.deadline:
            return None
        cost = TIMEOUT_COST if isinstance(error, DeadlineExceeded) else RETRY_COST
        if not self.budget.spend(cost):
            return None
        call.spent += cost
        return delay

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is not open: use `async with client` or `await client.open()`")
        return self._session

    def _look_around(self) -> None:
        if self._environment is None:
            self._environment = Environment(self._region, self._endpoint_url)
        self._environment.region()
        if self._credentials is None:
            self._credentials = self._environment.credentials()
            self._keys = Keys(self._credentials)

    async def _load(self, service: str) -> tuple[Target, URL]:
        self._opened()
        async with self._environment_lock:
            if service not in self._targets:
                assert self._environment is not None
                target = await asyncio.to_thread(self._environment.target, service)
                self._targets[service] = (target, URL(target.url, encoded=True))
        return self._targets[service]
