"""Errors between the broker and SQS."""

from dataclasses import dataclass

from faststream.exceptions import FastStreamException

MISSING_QUEUE_CODES = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})
OTHER_QUEUE_CODES = frozenset({"QueueNameExists", "QueueAlreadyExists"})


class QueueNotFound(FastStreamException):
    """A queue that is subscribed or published to does not exist in this account and region."""

    def __init__(self, queue: str) -> None:
        super().__init__(
            f"SQS queue {queue!r} does not exist: create it, or subscribe with SQSQueue(..., declare=True)"
        )
        self.queue = queue


class QueueConflict(FastStreamException):
    """A queue that is to be declared exists with other attributes."""

    def __init__(self, queue: str) -> None:
        super().__init__(f"SQS queue {queue!r} exists with other attributes than SQSQueue(..., declare=True) asks for")
        self.queue = queue


@dataclass(frozen=True, slots=True)
class FailedEntry:
    """One message of a batch that SQS did not accept: its position, and SQS's code and message."""

    index: int
    code: str
    message: str
    sender_fault: bool


class PublishFailed(FastStreamException):
    """Some messages of a batch were not accepted: `message_ids` has None at their positions, and the other ids."""

    def __init__(self, queue: str, failed: tuple[FailedEntry, ...], message_ids: tuple[str | None, ...]) -> None:
        reasons = ", ".join(f"{entry.index}: {entry.code}" for entry in failed[:5])
        super().__init__(f"{len(failed)} of {len(message_ids)} messages were not published to {queue!r} ({reasons})")
        self.queue = queue
        self.failed = failed
        self.message_ids = message_ids


def is_missing_queue(error: Exception) -> bool:
    return getattr(error, "code", "") in MISSING_QUEUE_CODES


def is_other_queue(error: Exception) -> bool:
    return getattr(error, "code", "") in OTHER_QUEUE_CODES
