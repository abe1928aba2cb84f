"""The publish command, which middlewares see."""

from typing import Any, Self

from faststream.response import BatchPublishCommand, PublishCommand
from faststream.response.publish_type import PublishType


class SQSPublishCommand(BatchPublishCommand):
    """One message or several to one queue."""

    def __init__(
        self,
        message: Any,
        *messages: Any,
        queue: str = "",
        group: str | None = None,
        deduplication_id: str | None = None,
        delay: int | None = None,
        _publish_type: PublishType = PublishType.PUBLISH,
        **rest: Any,
    ) -> None:
        super().__init__(message, *messages, destination=queue, _publish_type=_publish_type, **rest)
        self.group = group
        self.deduplication_id = deduplication_id
        self.delay = delay

    @classmethod
    def from_cmd(cls, cmd: PublishCommand, *, batch: bool = False) -> "SQSPublishCommand":  # noqa: ARG003
        if isinstance(cmd, cls):
            return cmd
        return cls(
            cmd.body,
            queue=cmd.destination,
            correlation_id=cmd.correlation_id,
            headers=cmd.headers,
            reply_to=cmd.reply_to,
            _publish_type=cmd.publish_type,
        )

    def alone(self, response: Any) -> Self:
        """The command for one message of a batch that has options of its own (an SQSResponse)."""
        return type(self)(
            response.body,
            queue=self.destination,
            headers=self.headers | response.headers,
            correlation_id=response.correlation_id or self.correlation_id,
            reply_to=self.reply_to,
            group=response.group or self.group,
            deduplication_id=response.deduplication_id,
            delay=self.delay if response.delay is None else response.delay,
        )
