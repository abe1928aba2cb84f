"""Counters and histograms for Prometheus; needs `faststream-sqs[prometheus]`."""

from collections.abc import Callable, Sequence
from typing import Any

from faststream.message import StreamMessage
from faststream.prometheus import ConsumeAttrs, MetricsSettingsProvider
from faststream.prometheus.middleware import PrometheusMiddleware

from faststream_sqs._compat import EMPTY
from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.schemas import name_of

SYSTEM = "aws_sqs"


class SQSPrometheusMiddleware(PrometheusMiddleware[Any, SQSPublishCommand]):
    """FastStream's metrics of messages received, processed and published, with `broker="aws_sqs"` and the queue.

    `registry` is a prometheus_client.CollectorRegistry.
    """

    def __init__(
        self,
        *,
        registry: Any,
        app_name: str = EMPTY,
        metrics_prefix: str = "faststream",
        received_messages_size_buckets: Sequence[float] | None = None,
        custom_labels: dict[str, str | Callable[[Any], str]] | None = None,
    ) -> None:
        super().__init__(
            settings_provider_factory=settings_for,
            registry=registry,
            app_name=app_name,
            metrics_prefix=metrics_prefix,
            received_messages_size_buckets=received_messages_size_buckets,
            custom_labels=custom_labels,
        )


class SQSMetricsSettings(MetricsSettingsProvider[Any, SQSPublishCommand]):
    """The metrics of one message."""

    messaging_system = SYSTEM

    def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> ConsumeAttrs:
        return {"destination_name": msg.raw_message.queue, "message_size": len(msg.body), "messages_count": 1}

    def get_publish_destination_name_from_cmd(self, cmd: SQSPublishCommand) -> str:
        return name_of(cmd.destination)


class SQSBatchMetricsSettings(SQSMetricsSettings):
    """The metrics of a batch."""

    def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> ConsumeAttrs:
        return {
            "destination_name": msg.raw_message[0].queue,
            "message_size": sum(len(record.body) for record in msg.raw_message),
            "messages_count": len(msg.raw_message),
        }


def settings_for(msg: Any) -> SQSMetricsSettings:
    return SQSBatchMetricsSettings() if isinstance(msg, Sequence) else SQSMetricsSettings()
