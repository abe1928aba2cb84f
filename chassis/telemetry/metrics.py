"""Metrics: every metric of our own is declared here, once. FastAPI measures requests.

Attributes are a service's own few names (a subscription, an outcome), never those of an organization or a person, so
that the code bounds the number of time series. See docs/adr/0008-metrics.md.
"""

import json
from typing import Any

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

_meter = metrics.get_meter("tenfold.chassis")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)

OUTBOX_AGE = _meter.create_gauge(
    "tenfold.outbox.age", "s", "Age of the oldest event that the last sweep found unpublished; 0 if it found none"
)
OUTBOX_REFUSED = _meter.create_counter("tenfold.outbox.refused", "{event}", "Entries that the bus refused, each time")
QUEUE_AGE = _meter.create_gauge(
    "tenfold.queue.age", "s", "How long the last message had been in its queue when it was taken up; by subscription"
)
CONSUMER_LAG = _meter.create_histogram(
    "tenfold.consumer.lag",
    "s",
    "From an event's time to the end of its handling; by subscription",
    explicit_bucket_boundaries_advisory=SECONDS,
)
DELIVERIES = _meter.create_counter(
    "tenfold.consumer.deliveries", "{delivery}", "Deliveries by subscription and outcome: handled, rejected, again, bug"
)


class Meters:
    """The metrics of one process: read here, and exported by OTLP/HTTP if there is an `endpoint`."""

    def __init__(self, service: str, endpoint: str | None) -> None:
        self._reader = InMemoryMetricReader()
        readers: list[MetricReader] = [self._reader]
        if endpoint is not None:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415  (slow to import)
                OTLPMetricExporter,
            )

            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=endpoint, timeout=5)))
        self._provider = MeterProvider(readers, Resource.create({"service.name": service}))
        metrics.set_meter_provider(self._provider)

    def read(self) -> dict[str, list[dict[str, Any]]]:
        """The present data points of each metric, by its name, as OpenTelemetry writes them in JSON."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        parsed = json.loads(data.to_json(indent=None))
        return {
            metric["name"]: metric["data"]["data_points"]
            for resource in parsed["resource_metrics"]
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
        }

    def close(self) -> None:
        self._provider.shutdown()
