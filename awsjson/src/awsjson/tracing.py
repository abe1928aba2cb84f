"""OpenTelemetry spans of calls, by the conventions for AWS clients; imported only by a client that traces."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from awsjson.errors import AwsError, ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from awsjson.sending import Call


class Tracing:
    """Makes a client span of each call; attempts are counted in it, not spans of their own."""

    def __init__(self, provider: "TracerProvider | None") -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415  # optional
        except ImportError as error:
            raise ConfigurationError("tracing needs the package opentelemetry-api") from error
        self._kind = trace.SpanKind.CLIENT
        self._failed = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer("awsjson", tracer_provider=provider)

    @contextmanager
    def span(self, call: "Call") -> Iterator[None]:
        service, operation = call.target.service, call.operation.name
        with self._tracer.start_as_current_span(
            f"{service.title}.{operation}",
            kind=self._kind,
            attributes=attributes_of(call),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", error.code if isinstance(error, AwsError) else type(error).__name__)
                span.set_status(self._failed, str(error))
                raise
            finally:
                _tell_outcome(span, call)


def attributes_of(call: "Call") -> dict[str, Any]:
    """What is known before the call; never values of items or messages."""
    service, params = call.target.service, call.params
    url = urlsplit(call.target.url)
    found: dict[str, Any] = {
        "rpc.system": "aws-api",
        "rpc.service": service.title,
        "rpc.method": call.operation.name,
        "cloud.region": call.target.signing_region,
        "server.address": url.hostname or "",
    }
    if url.port:
        found["server.port"] = url.port
    if service.name == "dynamodb":
        found |= {"db.system.name": "aws.dynamodb", "db.operation.name": call.operation.name}
        if isinstance(table := params.get("TableName"), str):
            found["aws.dynamodb.table_names"] = [table]
    if service.name == "sqs":
        found["messaging.system"] = "aws_sqs"
        if isinstance(queue := params.get("QueueUrl"), str):
            found |= {"messaging.destination.name": queue.rsplit("/", 1)[-1], "aws.sqs.queue.url": queue}
    return found


def _tell_outcome(span: "Span", call: "Call") -> None:
    if call.request_id:
        span.set_attribute("aws.request_id", call.request_id)
    if call.status:
        span.set_attribute("http.response.status_code", call.status)
    if call.attempts > 1:
        span.set_attribute("http.request.resend_count", call.attempts - 1)
