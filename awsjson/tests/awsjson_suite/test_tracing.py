"""Spans are optional, one per call, and contain nothing of what is stored or sent."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from awsjson import AwsError, AwsJson
from awsjson_suite.stubs import KEYS, CannedAws, Naps, failing, ok

OPEN = "from awsjson import AwsJson; AwsJson(region='eu-central-1')"
ERRORS = "from awsjson import AwsError, Client, StaticCredentials"


async def trace(aws: CannedAws, naps: Naps, *calls: tuple[str, str, dict[str, Any]]) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, sleep=naps, tracing=provider
    ) as client:
        for service, operation, params in calls:
            with suppress(AwsError):
                await client.call(service, operation, params)
    return exporter


async def test_a_call_is_a_span(aws: CannedAws, naps: Naps) -> None:
    aws.answers = [failing(500, "InternalServerError"), ok({}, **{"x-amzn-RequestId": "r-1"})]
    put = {"TableName": "things", "Item": {"PK": {"S": "secret"}}}
    (span,) = (await trace(aws, naps, ("dynamodb", "PutItem", put))).get_finished_spans()
    assert (span.name, span.kind) == ("DynamoDB.PutItem", SpanKind.CLIENT)
    assert span.attributes is not None
    recorded = dict(span.attributes)
    assert recorded.pop("server.port") == int(aws.url.rsplit(":", 1)[1])
    assert recorded == {
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": "PutItem",
        "cloud.region": "eu-central-1",
        "server.address": "127.0.0.1",
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "PutItem",
        "aws.dynamodb.table_names": ("things",),
        "aws.request_id": "r-1",
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_failure_is_recorded(aws: CannedAws, naps: Naps) -> None:
    aws.answers = [failing(400, "ValidationException")]
    receive = {"QueueUrl": "https://sqs/1/orders"}
    (span,) = (await trace(aws, naps, ("sqs", "ReceiveMessage", receive))).get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValidationException"
    assert span.attributes["messaging.destination.name"] == "orders"
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("module", "code"), [("opentelemetry", OPEN), ("boto3", OPEN), ("aiohttp", ERRORS), ("botocore", ERRORS)]
)
def test_what_is_not_needed_is_not_loaded(module: str, code: str) -> None:
    command = [sys.executable, "-c", f"import sys; {code}; sys.exit({module!r} in sys.modules)"]
    assert subprocess.run(command, check=False, timeout=30).returncode == 0
