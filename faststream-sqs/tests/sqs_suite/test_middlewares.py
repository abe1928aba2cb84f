"""Traces by OpenTelemetry and metrics by Prometheus."""

import json
from typing import Any

import pytest
from faststream.exceptions import NackMessage
from faststream_sqs import SQSBatchMessage, SQSBroker, SQSMessage, TestSQSBroker
from faststream_sqs.opentelemetry import SQSTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until


class Traced:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        meters = MeterProvider([self.reader])
        self.middleware = SQSTelemetryMiddleware(tracer_provider=tracers, meter_provider=meters)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def metrics(self) -> dict[str, list[Any]]:
        data = json.loads(self.reader.get_metrics_data().to_json())  # type: ignore[union-attr]  # there is some
        found = data["resource_metrics"][0]["scope_metrics"][0]["metrics"]
        return {metric["name"]: metric["data"]["data_points"] for metric in found}


@pytest.fixture
def traced() -> Traced:
    return Traced()


async def test_a_message_is_one_trace_from_its_publish_to_those_of_its_handler(traced: Traced) -> None:
    broker = SQSBroker(middlewares=[traced.middleware])

    @broker.subscriber("orders")
    @broker.publisher("invoices")
    async def handle(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @broker.subscriber("invoices", raw=True)
    async def collect(message: SQSMessage) -> None: ...

    async with TestSQSBroker(broker) as started:
        await started.publish({"id": 1}, "orders", correlation_id="c")
    spans = traced.exporter.get_finished_spans()
    assert len({span.context.trace_id for span in spans}) == 1
    (process,) = traced.spans("orders process")
    attributes = dict(process.attributes or {})
    assert attributes["messaging.system"] == "aws_sqs"
    assert attributes["messaging.destination.name"] == "orders"
    assert attributes["messaging.operation.type"] == "process"
    assert attributes["messaging.message.conversation_id"] == "c"
    assert attributes["messaging.message.body.size"] == len('{"id":1}')
    assert attributes["messaging.message.id"]
    (publish,) = traced.spans("orders publish")
    assert dict(publish.attributes or {})["messaging.operation.type"] == "send"
    (invoice,) = traced.spans("invoices publish")
    assert invoice.parent is not None
    assert invoice.parent.span_id == process.context.span_id
    counted = traced.metrics()
    assert {point["attributes"]["messaging.system"] for point in counted["messaging.process.messages"]} == {"aws_sqs"}
    assert sum(point["value"] for point in counted["messaging.process.messages"]) == 2


async def test_a_failure_is_not_the_parent_of_the_next_message(traced: Traced) -> None:
    fake = FakeSQS(visibility=1000)
    fake.put("bug", "fine")
    broker = SQSBroker(fake, logger=None, middlewares=[traced.middleware], poll_grace=0.01)

    @broker.subscriber("q", wait=1)
    async def handle(body: str) -> None:
        if body == "bug":
            raise NackMessage(delay=60)

    await broker.start()
    await until(lambda: fake.left() == ["bug"])
    await broker.stop()
    first, second = traced.spans("q process")
    assert first.context.trace_id != second.context.trace_id


async def test_a_batch_is_one_span_with_links(traced: Traced) -> None:
    broker = SQSBroker(middlewares=[traced.middleware])

    @broker.subscriber("q", batch=True, raw=True)
    async def handle(batch: SQSBatchMessage) -> None: ...

    async with TestSQSBroker(broker) as started:
        await started.publish_batch("a", "b", "c", queue="q")
    (process,) = traced.spans("q process")
    attributes = dict(process.attributes or {})
    assert attributes["messaging.batch.message_count"] == 3
    assert attributes["messaging.message.body.size"] == 3
    (publish,) = traced.spans("q publish")
    links = [link for span in traced.spans("q create") for link in span.links]
    assert links
    assert {link.context.trace_id for link in links} == {publish.context.trace_id}


async def test_prometheus_counts_messages_by_queue_and_outcome() -> None:
    client = pytest.importorskip("prometheus_client")
    from faststream_sqs.prometheus import SQSPrometheusMiddleware

    registry = client.CollectorRegistry()
    broker = SQSBroker(middlewares=[SQSPrometheusMiddleware(registry=registry)])

    @broker.subscriber("q")
    async def handle(body: str) -> None:
        if body == "later":
            raise NackMessage

    @broker.subscriber("many", batch=True)
    async def handle_many(bodies: list[str]) -> None: ...

    test = TestSQSBroker(broker)
    async with test as started:
        await test.deliver("fine", "q")
        await test.deliver("later", "q")
        await started.publish_batch("a", "b", queue="many")
    labels = {"app_name": "faststream", "broker": "aws_sqs", "handler": "q"}
    name = "faststream_received_processed_messages_total"
    assert registry.get_sample_value(name, labels | {"status": "acked"}) == 1
    assert registry.get_sample_value(name, labels | {"status": "nacked"}) == 1
    received = "faststream_received_messages_total"
    assert registry.get_sample_value(received, labels | {"handler": "many"}) == 2
    published = {"app_name": "faststream", "broker": "aws_sqs", "destination": "many", "status": "success"}
    assert registry.get_sample_value("faststream_published_messages_total", published) == 2
