"""Traces and metrics of OpenTelemetry; needs `faststream-sqs[opentelemetry]`."""

from collections.abc import Sequence
from typing import Any

from faststream.message import StreamMessage
from faststream.opentelemetry import TelemetryMiddleware, TelemetrySettingsProvider
from faststream.opentelemetry.consts import MESSAGING_DESTINATION_PUBLISH_NAME
from faststream.opentelemetry.middleware import BaseTelemetryMiddleware
from opentelemetry import context
from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.trace import TracerProvider

from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.schemas import name_of

SYSTEM = "aws_sqs"


class SQSTelemetryMiddleware(TelemetryMiddleware[SQSPublishCommand]):
    """A span per publish and per handled message (or batch, linked to the spans of its messages), by the semantic
    conventions for messaging. The trace travels in the message's headers; durations and counts go to the meter.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        meter: Meter | None = None,
        include_messages_counters: bool = True,
    ) -> None:
        super().__init__(
            settings_provider_factory=settings_for,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            meter=meter,
            include_messages_counters=include_messages_counters,
        )

    def __call__(self, msg: Any | None, /, *, context: Any) -> "SpanOfOneMessage":
        return SpanOfOneMessage(
            msg,
            tracer=self._tracer,
            metrics_container=self._metrics,
            settings_provider_factory=self._settings_provider_factory,
            context=context,
        )


class SpanOfOneMessage(BaseTelemetryMiddleware[SQSPublishCommand]):
    """The middleware of one message: its span must not become the parent of the next one in a worker's task."""

    async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> Any:
        token = context.attach(context.get_current())
        try:
            return await super().consume_scope(call_next, msg)
        finally:
            context.detach(token)


class SQSTelemetrySettings(TelemetrySettingsProvider[Any, SQSPublishCommand]):
    """The attributes of one message's spans."""

    messaging_system = SYSTEM

    def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> dict[str, Any]:
        queue = self.get_consume_destination_name(msg)
        return {
            "messaging.system": SYSTEM,
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": queue,
            MESSAGING_DESTINATION_PUBLISH_NAME: queue,
            "messaging.message.id": msg.message_id,
            "messaging.message.conversation_id": msg.correlation_id,
            "messaging.message.body.size": len(msg.body),
        }

    def get_consume_destination_name(self, msg: StreamMessage[Any]) -> str:
        return str(msg.raw_message.queue)

    def get_publish_attrs_from_cmd(self, cmd: SQSPublishCommand) -> dict[str, Any]:
        return {
            "messaging.system": SYSTEM,
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.destination.name": name_of(cmd.destination),
            "messaging.message.conversation_id": cmd.correlation_id or "",
        }

    def get_publish_destination_name(self, cmd: SQSPublishCommand) -> str:
        return name_of(cmd.destination)


class SQSBatchTelemetrySettings(SQSTelemetrySettings):
    """The attributes of a batch's span."""

    def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> dict[str, Any]:
        attributes = super().get_consume_attrs_from_message(msg)
        attributes["messaging.message.body.size"] = sum(len(record.body) for record in msg.raw_message)
        attributes["messaging.batch.message_count"] = len(msg.raw_message)
        return attributes

    def get_consume_destination_name(self, msg: StreamMessage[Any]) -> str:
        return str(msg.raw_message[0].queue)


def settings_for(msg: Any) -> SQSTelemetrySettings:
    return SQSBatchTelemetrySettings() if isinstance(msg, Sequence) else SQSTelemetrySettings()
