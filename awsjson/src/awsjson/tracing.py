"""OpenTelemetry spans of calls, by the conventions for AWS clients; imported only if a client traces."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from awsjson.errors import AwsError, ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from awsjson.sending import Call


class Tracing:
    """Records a client span per call. It counts the attempts, which have no spans of their own."""

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
                if call.request_id:
                    span.set_attribute("aws.request_id", call.request_id)
                if call.status:
                    span.set_attribute("http.response.status_code", call.status)
                if call.attempts > 1:
                    span.set_attribute("http.request.resend_count", call.attempts - 1)


def attributes_of(call: "Call") -> dict[str, Any]:
    """The attributes that are known before the call; never values of items or messages."""
    service, params = call.target.service, call.params
    url = urlsplit(call.target.url)
    attributes: dict[str, Any] = {
        "rpc.system": "aws-api",
        "rpc.service": service.title,
        "rpc.method": call.operation.name,
        "cloud.region": call.target.signing_region,
        "server.address": url.hostname or "",
    }
    if url.port:
        attributes["server.port"] = url.port
    if service.name == "dynamodb":
        attributes |= {"db.system.name": "aws.dynamodb", "db.operation.name": call.operation.name}
        if isinstance(table := params.get("TableName"), str):
            attributes["aws.dynamodb.table_names"] = [table]
    if service.name == "sqs":
        attributes["messaging.system"] = "aws_sqs"
        if isinstance(queue := params.get("QueueUrl"), str):
            attributes |= {"messaging.destination.name": queue.rsplit("/", 1)[-1], "aws.sqs.queue.url": queue}
    return attributes
