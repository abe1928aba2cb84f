"""OpenTelemetry: one trace from the HTTP request through outbox, bus and queue to the handler."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NO_SPAN = INVALID_SPAN
_tracer = trace.get_tracer("tenfold.chassis")
_propagator = TraceContextTextMapPropagator()


def set_up_tracing(service: str, endpoint: str | None) -> TracerProvider | None:
    """Export spans by OTLP/HTTP to `endpoint`, or keep tracing off without one."""
    if endpoint is None:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  (slow to import)
        OTLPSpanExporter,
    )

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    return provider


def start_publish_span(event_type: str, event_id: str) -> Span:
    """A span from an event's commit until the bus accepted it. Its holder ends it."""
    return _tracer.start_span(
        f"publish {event_type}",
        kind=SpanKind.PRODUCER,
        attributes={"messaging.system": "aws_eventbridge", "messaging.message.id": event_id},
    )


def traceparent_of(span: Span) -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent")


def parent_of(traceparent: str | None) -> Context:
    return extract({"traceparent": traceparent} if traceparent else {})


@contextmanager
def consumer_span(
    name: str, traceparent: str | None, attributes: dict[str, Any], queued_at: datetime | None
) -> Iterator[Span]:
    """The processing of one message, under the span that published it. `queued_at` is when SQS took the message."""
    if queued_at is not None:
        attributes["tenfold.queued_ns"] = int(queued_at.timestamp() * 1_000_000_000)
    with _tracer.start_as_current_span(
        name, context=parent_of(traceparent), kind=SpanKind.CONSUMER, attributes=attributes
    ) as span:
        yield span


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[Span]:
    """A span for a step that is worth seeing in a trace."""
    with _tracer.start_as_current_span(name, attributes=attributes) as current:
        yield current


def current_trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def mark_failed(current: Span, reason: str) -> None:
    current.set_status(Status(StatusCode.ERROR, reason))
