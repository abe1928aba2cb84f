"""boto3 as the transport, its blocking calls in threads: for environments that want the official client."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from awsjson import AwsError, ConnectionFailed, DeadlineExceeded, Throttled

LONGEST_ANSWER = 30
CONNECT_TIMEOUT = 2
ATTEMPTS = 4


class Boto3Transport:
    """A Transport on boto3's SQS client (thread-safe, shared by all threads) with the errors of `awsjson`.

    Long polls and other calls have threads of their own, so that polls never keep a delete waiting: at most
    `poll_threads` polls wait at once. A poll that is cut at the stop goes on in its thread until SQS answers, and what
    it brings is made visible again; `close` waits for that, at most the poll's wait time.
    """

    def __init__(
        self,
        client: Any = None,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        poll_threads: int = 16,
        call_threads: int = 8,
    ) -> None:
        self._client = client
        self._region = region
        self._endpoint_url = endpoint_url
        self._threads = poll_threads + call_threads
        self._polls = ThreadPoolExecutor(poll_threads, "sqs-poll")
        self._calls = ThreadPoolExecutor(call_threads, "sqs-call")

    async def open(self, *services: str) -> None:  # noqa: ARG002  # as awsjson spells it
        """Makes the client; a second call does nothing. Raises what boto3 raises, for example without a region."""
        if self._client is None:
            self._client = await asyncio.get_running_loop().run_in_executor(self._calls, self._make_client)

    async def close(self) -> None:
        """Waits for the calls in flight and ends the threads."""
        for pool in (self._polls, self._calls):
            await asyncio.to_thread(pool.shutdown)

    def _make_client(self) -> Any:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=LONGEST_ANSWER,
            max_pool_connections=self._threads,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        # a session of our own: boto3's default one is not safe to share between threads
        session = boto3.Session(region_name=self._region)
        return session.client("sqs", endpoint_url=self._endpoint_url, config=config)

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Raises AwsError or a subclass; ValueError for a service that is not SQS."""
        if service != "sqs":
            raise ValueError(f"this transport speaks to SQS, not to {service}")
        if self._client is None:
            raise RuntimeError("the transport is not open: await open() first")
        method = getattr(self._client, xform_name(operation))
        try:
            async with asyncio.timeout(timeout):
                if operation == "ReceiveMessage":
                    return await self._receive(method, params)
                return await self._in_thread(partial(method, **params), operation)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer in {timeout} s", service="sqs", operation=operation) from error

    async def _in_thread(self, call: Callable[[], dict[str, Any]], operation: str) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(self._calls, partial(_typed, call, operation))

    async def _receive(self, method: Callable[..., dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
        poll = _Poll(partial(method, **params), partial(self._give_back, params["QueueUrl"]))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._polls, poll.run)
        except asyncio.CancelledError:
            # the thread cannot be interrupted; what it brings, or has just brought, must not be lost
            if unseen := poll.abandon():
                self._calls.submit(self._give_back, params["QueueUrl"], unseen)
            raise

    def _give_back(self, url: str, answer: dict[str, Any]) -> None:
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for index, message in enumerate(answer.get("Messages") or ())
        ]
        if entries:
            self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)


class _Poll:
    """A receive whose caller may be gone when it ends."""

    def __init__(self, call: Callable[[], dict[str, Any]], give_back: Callable[[dict[str, Any]], None]) -> None:
        self._call = call
        self._give_back = give_back
        self._lock = threading.Lock()
        self._abandoned = False
        self._answer: dict[str, Any] | None = None

    def run(self) -> dict[str, Any]:
        if self._abandoned:
            return {}
        answer = _typed(self._call, "ReceiveMessage")
        with self._lock:
            self._answer = answer
            abandoned = self._abandoned
        if abandoned:
            self._give_back(answer)
        return answer

    def abandon(self) -> dict[str, Any] | None:
        """The answer that nobody will see, if it is there already."""
        with self._lock:
            self._abandoned = True
            return self._answer


def _typed(call: Callable[[], dict[str, Any]], operation: str) -> dict[str, Any]:
    where: dict[str, Any] = {"service": "sqs", "operation": operation}
    try:
        return call()
    except ClientError as error:
        raise _service_error(error, where) from error
    except ReadTimeoutError as error:
        raise DeadlineExceeded(str(error), **where) from error
    except (ConnectTimeoutError, EndpointConnectionError, ConnectionClosedError) as error:
        sent = isinstance(error, ConnectionClosedError)
        raise ConnectionFailed(str(error), sent=sent, **where) from error
    except BotoCoreError as error:
        raise AwsError(type(error).__name__, str(error), retryable=False, **where) from error


def _service_error(error: ClientError, where: dict[str, Any]) -> AwsError:
    found = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    code = str(found.get("Code") or "Unknown")
    kind = Throttled if "throttl" in code.lower() else AwsError
    return kind(
        code,
        str(found.get("Message") or ""),
        status=int(metadata.get("HTTPStatusCode") or 0),
        request_id=str(metadata.get("RequestId") or ""),
        **where,
    )
