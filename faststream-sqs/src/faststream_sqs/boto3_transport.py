"""The transport that runs botocore's own client (the one of boto3) in threads, for what the default leaves out."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from awsjson import AwsError, BotoThreads, Client, DeadlineExceeded
from faststream_sqs.transport import CALL_TIMEOUT

LONGEST_ANSWER = 30.0
"""In seconds; a long poll takes 20."""
log = logging.getLogger(__name__)


class Boto3Transport:
    """A Transport whose calls run in threads.

    Long polls have threads of their own (`poll_threads`), so that no delete waits behind them.
    A poll that is cut off when the broker stops goes on in its thread until SQS answers, and the messages it brings are
    made visible again; `close` waits for that, at most as long as the poll's wait time.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        poll_threads: int = 16,
        call_threads: int = 8,
    ) -> None:
        make = partial(BotoThreads, region=region, endpoint_url=endpoint_url)
        self._polls = make(threads=poll_threads, read_timeout=LONGEST_ANSWER)
        self._calls = make(threads=call_threads)
        self._free = asyncio.Semaphore(poll_threads)
        self._cut: set[asyncio.Task[None]] = set()

    async def open(self, *services: str) -> None:
        """Creates the clients; a second call does nothing. Raises ConfigurationError, for example without a region."""
        await self._calls.open(*services)
        await self._polls.open(*services)

    async def close(self) -> None:
        """Waits for the calls in flight and ends the threads."""
        await asyncio.gather(*self._cut)
        await self._polls.close()
        await self._calls.close()

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Raises AwsError or a subclass."""
        if operation != "ReceiveMessage":
            return await self._calls.call(service, operation, params, timeout=timeout)
        try:
            async with asyncio.timeout(timeout):
                return await self._receive(service, params)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer in {timeout} s", service=service, operation=operation) from error

    async def _receive(self, service: str, params: Mapping[str, Any]) -> dict[str, Any]:
        await self._free.acquire()  # a poll that is cut off while it waits for a thread has not asked SQS
        poll = asyncio.create_task(self._polls.call(service, "ReceiveMessage", params))
        poll.add_done_callback(lambda _: self._free.release())
        try:
            return await asyncio.shield(poll)
        except asyncio.CancelledError:
            # the thread cannot be interrupted; what it brings, or has just brought, must not be lost
            task = asyncio.create_task(give_back(self._calls, poll, params["QueueUrl"]))
            self._cut.add(task)
            task.add_done_callback(self._cut.discard)
            raise


async def give_back(calls: Client, poll: "asyncio.Task[dict[str, Any]]", url: str) -> None:
    """Makes the messages of a poll visible again whose caller is no longer waiting."""
    try:
        messages = (await poll).get("Messages") or ()
        entries = [
            {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for at, message in enumerate(messages)
        ]
        if entries:
            params = {"QueueUrl": url, "Entries": entries}
            await calls.call("sqs", "ChangeMessageVisibilityBatch", params, timeout=CALL_TIMEOUT)
    except AwsError as error:
        log.warning("messages of the last poll of %s stay hidden until their visibility ends: %s", url, error)
