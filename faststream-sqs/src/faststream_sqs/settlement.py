"""Settlement: carries out the decisions about a queue's messages by deletes, visibility changes and dead letters."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from faststream_sqs.batching import Batcher
from faststream_sqs.encoding import MAX_ATTRIBUTES, REFUSED, text_attribute
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import Backoff, visibility_seconds
from faststream_sqs.transport import SQSCalls

MAX_REASON = 512
REASON, SOURCE_MESSAGE_ID = "Reason", "SourceMessageId"


class Log(Protocol):
    """The log for what an operator should know."""

    def __call__(self, level: int, message: str, error: BaseException | None = None) -> None: ...


DeadLetterUrl = Callable[[], Awaitable[str | None]]


class QueueSettlement:
    """The deletes and visibility changes of one queue, in batches, and its dead letters."""

    def __init__(
        self,
        calls: SQSCalls,
        url: str,
        queue: str,
        *,
        backoff: Backoff,
        linger: float,
        dead_letter_url: DeadLetterUrl,
        log: Log,
    ) -> None:
        self._calls = calls
        self._url = url
        self._queue = queue
        self._backoff = backoff
        self._dead_letter_url = dead_letter_url
        self._log = log
        self._warned = False
        # a heartbeat that overtakes a nack would hide the message again
        self._visibility_order = asyncio.Lock()
        lost_deletes = self._log_lost(f"handled messages of {queue} were not deleted: they come again")
        lost_returns = self._log_lost(f"messages of {queue} come again only when their visibility ends")
        self._deletes = Batcher[str](self._delete, lost_deletes, linger=linger)
        self._returns = Batcher[tuple[str, int]](self._change, lost_returns, linger=linger)

    @property
    def pending(self) -> int:
        """The number of decisions that are not sent yet."""
        return self._deletes.pending + self._returns.pending

    def delete(self, record: SQSRecord) -> None:
        self._deletes.add(record.receipt_handle)

    def give_back(self, record: SQSRecord, delay: float | None) -> None:
        self._returns.add(self.visibility_change(record, delay))

    def visibility_change(self, record: SQSRecord, delay: float | None) -> tuple[str, int]:
        """The receipt handle, and the seconds until the message is visible again."""
        if delay is None:
            delay = self._backoff.delay(record.receive_count)
        return record.receipt_handle, visibility_seconds(delay)

    async def bury(self, record: SQSRecord, reason: str) -> bool:
        """Sends the original body to the dead-letter queue. False if that failed."""
        try:
            url = await self._dead_letter_url()
            if url is None:
                if not self._warned:
                    self._warned = True
                    warning = f"{self._queue} has no dead-letter queue: rejected messages stay and come again"
                    self._log(logging.WARNING, warning)
                return False
            await self._calls("SendMessage", dead_letter(url, record, reason))
        except Exception as error:  # noqa: BLE001  # it stays in its queue, and the log says why
            self._log(logging.ERROR, f"message {record.message_id} could not be sent to the dead-letter queue", error)
            return False
        return True

    async def extend(self, due: list[tuple[SQSRecord, int]], held: Callable[[SQSRecord], bool]) -> list[SQSRecord]:
        """Extends up to ten visibilities; returns the records that are no longer ours. Raises the client's errors."""
        async with self._visibility_order:
            wanted = [(record, seconds) for record, seconds in due if held(record)]
            if not wanted:
                return []
            answer = await self.change_visibility([(record.receipt_handle, seconds) for record, seconds in wanted])
        return [wanted[int(entry["Id"])][0] for entry in answer.get("Failed") or () if entry.get("SenderFault")]

    async def drain(self, patience: float) -> None:
        await asyncio.gather(self._deletes.drain(patience), self._returns.drain(patience))

    async def _delete(self, handles: list[str]) -> list[str]:
        entries = [{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(handles)]
        answer = await self._calls("DeleteMessageBatch", {"QueueUrl": self._url, "Entries": entries})
        return [handles[i] for i in self._worth_retrying(answer, "deleted")]

    async def _change(self, items: list[tuple[str, int]]) -> list[tuple[str, int]]:
        async with self._visibility_order:
            answer = await self.change_visibility(items)
        return [items[i] for i in self._worth_retrying(answer, "returned")]

    async def change_visibility(self, items: list[tuple[str, int]]) -> dict[str, Any]:
        """Changes up to ten visibilities and returns SQS's answer. Raises the client's errors."""
        entries = [
            {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for i, (handle, seconds) in enumerate(items)
        ]
        return await self._calls("ChangeMessageVisibilityBatch", {"QueueUrl": self._url, "Entries": entries})

    def _worth_retrying(self, answer: dict[str, Any], verb: str) -> list[int]:
        failed = answer.get("Failed") or ()
        for entry in failed:
            if entry.get("SenderFault"):
                self._log(logging.WARNING, f"a message of {self._queue} could not be {verb}: {entry.get('Code')}")
        return [int(entry["Id"]) for entry in failed if not entry.get("SenderFault")]

    def _log_lost(self, text: str) -> Callable[[list[Any], Exception | None], None]:
        """A callback that logs how many decisions were lost, with `text` about what follows."""

        def log(lost: list[Any], error: Exception | None) -> None:
            self._log(logging.ERROR, f"{len(lost)} {text}", error)

        return log


def dead_letter(url: str, record: SQSRecord, reason: str) -> dict[str, Any]:
    """SendMessage's parameters: the original body, its attributes as far as they fit, the reason and the source."""
    # SQS refuses empty values and control characters, and counts bytes
    text = REFUSED.sub("?", reason).encode()[:MAX_REASON].decode(errors="ignore")
    added = {
        REASON: text_attribute(text or "unspecified"),
        # a message that was dead before keeps the id it had then, however often it is sent back
        SOURCE_MESSAGE_ID: record.message_attributes.get(SOURCE_MESSAGE_ID)
        or text_attribute(record.message_id or "unknown"),
    }
    originals = {name: value for name, value in record.message_attributes.items() if name not in added}
    kept = dict(list(originals.items())[: MAX_ATTRIBUTES - len(added)])
    params: dict[str, Any] = {"QueueUrl": url, "MessageBody": record.body, "MessageAttributes": kept | added}
    if url.endswith(".fifo"):
        params["MessageGroupId"] = record.group or "rejected"
        params["MessageDeduplicationId"] = record.message_id
    return params
