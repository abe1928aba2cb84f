"""A response with options, for handlers' results and messages of a batch that need more than a body."""

from typing import Any

from faststream.response import Response

from faststream_sqs.command import SQSPublishCommand


class SQSResponse(Response):
    """A body with SQS's own options. `delay` is in seconds; None leaves it to the queue.

    A publisher decorator applies them; in `publish_batch` they belong to one message of the batch.
    """

    def __init__(
        self,
        body: Any,
        *,
        headers: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        group: str | None = None,
        deduplication_id: str | None = None,
        delay: int | None = None,
    ) -> None:
        super().__init__(body, headers=headers, correlation_id=correlation_id)
        self.group = group
        self.deduplication_id = deduplication_id
        self.delay = delay

    def as_publish_command(self) -> SQSPublishCommand:
        return SQSPublishCommand(
            self.body,
            headers=self.headers,
            correlation_id=self.correlation_id,
            group=self.group,
            deduplication_id=self.deduplication_id,
            delay=self.delay,
        )
