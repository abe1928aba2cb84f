"""Each request is as botocore makes it: method, address, headers, body and signature.

Only the format of the JSON differs: botocore writes spaces and escapes, this client does not. Formatted as botocore
does it, our body is botocore's byte for byte, and so is our signature of botocore's bytes.
"""

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from awsjson.environment import Environment
from awsjson.signing import sign
from botocore.awsrequest import AWSResponse
from botocore.config import Config as BotocoreConfig

from awsjson import AwsJson, StaticCredentials
from awsjson_suite.operations import CALLS
from awsjson_suite.stubs import KEYS, CannedAws

# what botocore says about itself and its retries, and what the connection adds
ITS_OWN = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent"}
CONNECTIONS = {"host", "content-length", "accept-encoding", "accept", "connection"}
# these differ with the time and the body
SIGNATURE = {"authorization", "x-amz-date"}


class Raw:
    """An answer that botocore can read."""

    def stream(self) -> list[bytes]:
        return [b"{}"]


def botocores_request(
    service: str, operation: str, params: dict[str, Any], *, keys: StaticCredentials = KEYS, **options: Any
) -> Any:
    """The request that botocore would send."""
    client: Any = botocore.session.Session().create_client(
        service,
        region_name="eu-central-1",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=BotocoreConfig(retries={"total_max_attempts": 1}, account_id_endpoint_mode="disabled"),
        **options,
    )
    sent: list[Any] = []

    def answer(request: Any, **_: Any) -> Any:
        sent.append(request)
        headers: Any = {}
        return AWSResponse(request.url, 200, headers, Raw())

    client.meta.events.register_last("before-send", answer)
    client._make_api_call(operation, params)
    return sent[0]


def text_headers(headers: Any) -> dict[str, str]:
    return {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in headers.items()}


def signed_names(authorization: str) -> list[str]:
    return authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")


@pytest.mark.parametrize(
    ("service", "operation", "params"), CALLS, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_same_request(
    aws: CannedAws, client: AwsJson, service: str, operation: str, params: dict[str, Any]
) -> None:
    theirs = botocores_request(service, operation, params, endpoint_url=aws.url)
    await client.call(service, operation, params)
    headers, body = aws.requests[-1]
    ours, expected = text_headers(headers), text_headers(theirs.headers)
    assert json.dumps(json.loads(body)).encode() == theirs.body
    assert (theirs.method, theirs.url) == ("POST", f"{aws.url}/")
    differing = ITS_OWN | CONNECTIONS | SIGNATURE
    assert {k: v for k, v in ours.items() if k not in differing} == {
        k: v for k, v in expected.items() if k not in differing
    }
    assert ("authorization" in ours) == ("authorization" in expected)
    if "authorization" in expected:
        assert set(signed_names(expected["authorization"])) - ITS_OWN == set(signed_names(ours["authorization"]))


@pytest.mark.parametrize("keys", [KEYS, StaticCredentials("AKID", "sec/ret+", "to/ken==")])
@pytest.mark.parametrize(
    "options",
    [
        {"endpoint_url": "http://127.0.0.1:4566"},
        {"endpoint_url": "https://gateway.example:443/a path/with~ä"},
        {"endpoint_url": "http://localhost:80/"},
        {},
    ],
    ids=lambda options: options.get("endpoint_url", "aws"),
)
@pytest.mark.parametrize("service", ["dynamodb", "sqs", "kms"])
def test_same_signature(service: str, options: dict[str, str], keys: StaticCredentials) -> None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "dynamodb": ("ListTables", {}),
        "sqs": ("ListQueues", {"QueueNamePrefix": "ä"}),
        "kms": ("ListKeys", {"Limit": 5}),
    }
    operation, params = calls[service]
    theirs = botocores_request(service, operation, params, keys=keys, **options)
    expected = text_headers(theirs.headers)
    target = Environment("eu-central-1", options.get("endpoint_url")).target(service)
    extra = {k: v for k, v in expected.items() if k in ITS_OWN and k in signed_names(expected["authorization"])}
    moment = datetime.strptime(expected["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    headers = target.service.operation(operation).headers | extra
    ours = text_headers(sign(target, headers, theirs.body, keys, moment))
    assert ours["authorization"] == expected["authorization"]
    assert ours.get("x-amz-security-token") == expected.get("x-amz-security-token")
    assert target.url.rstrip("/") == theirs.url.rstrip("/")
