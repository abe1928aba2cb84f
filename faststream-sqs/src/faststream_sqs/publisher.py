"""Publishers: a queue with headers and a group, as an object or a decorator."""

from collections.abc import Iterable
from typing import Any

from faststream.response import PublishCommand
from faststream.response.publish_type import PublishType

from faststream_sqs._compat import FakePublisher, PublisherUsecase
from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.config import SQSPublisherConfig
from faststream_sqs.schemas import is_url
from faststream_sqs.specification import SQSPublisherSpecification


class ReplyPublisher(FakePublisher):
    """The publisher that sends a handler's result to the queue in the message's reply_to."""

    def __init__(self, producer: Any, queue: str) -> None:
        super().__init__(producer=producer)
        self.queue = queue

    def patch_command(self, cmd: PublishCommand) -> SQSPublishCommand:
        patched = SQSPublishCommand.from_cmd(super().patch_command(cmd))
        patched.destination = self.queue
        return patched


class SQSPublisher(PublisherUsecase):
    def __init__(self, config: SQSPublisherConfig, specification: SQSPublisherSpecification) -> None:
        super().__init__(config, specification)  # type: ignore[arg-type]  # FastStream's generics are invariant
        self._queue = config.queue
        self.headers = config.headers
        self.group = config.group

    @property
    def queue(self) -> str:
        return self._queue if is_url(self._queue) else f"{self._outer_config.prefix}{self._queue}"

    async def publish(
        self,
        message: Any,
        queue: str = "",
        *,
        headers: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        reply_to: str = "",
        group: str | None = None,
        deduplication_id: str | None = None,
        delay: int | None = None,
    ) -> Any:
        """Sends to the publisher's queue (or `queue`) and returns the id that SQS gave."""
        command = SQSPublishCommand(
            message,
            queue=queue or self.queue,
            headers=self.headers | (headers or {}),
            correlation_id=correlation_id or self._outer_config.id_generator(),
            reply_to=reply_to,
            group=group or self.group,
            deduplication_id=deduplication_id,
            delay=delay,
            _publish_type=PublishType.PUBLISH,
        )
        return await self._basic_publish(command, producer=self._outer_config.producer, _extra_middlewares=())

    async def _publish(self, cmd: PublishCommand, *, _extra_middlewares: Iterable[Any]) -> None:
        command = SQSPublishCommand.from_cmd(cmd)
        command.destination = command.destination or self.queue
        command.add_headers(self.headers, override=False)
        command.group = command.group or self.group
        await self._basic_publish(command, producer=self._outer_config.producer, _extra_middlewares=_extra_middlewares)

    async def request(self, message: Any, **options: Any) -> Any:
        return await self._outer_config.producer.request(SQSPublishCommand(message, **options))
