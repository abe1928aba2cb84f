"""Each request as botocore makes it: address, headers, signature, and the body byte for byte.

botocore writes JSON with blanks and escapes, this client without: bodies are compared in one spelling.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import botocore.session
import orjson
import pytest
from awsjson.environment import Environment
from awsjson.signing import sign
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config as BotocoreConfig

from awsjson import AwsJson
from awsjson_suite.stubs import KEYS, CannedAws

TIME = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
VALUES = {
    "PK": {"S": 'ORG#ä#\u2028#🙂\\"/\t'},
    "n": {"N": "-1.5E+100"},
    "blob": {"B": bytes(range(256))},
    "empty": {"B": b""},
    "sets": {"M": {"b": {"BS": [b"a", b"\xff"]}, "s": {"SS": ["x"]}, "n": {"NS": ["1", "2"]}}},
    "list": {"L": [{"NULL": True}, {"BOOL": False}, {"L": [{"B": b"deep"}]}]},
}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "PutItem", {"TableName": "table", "Item": VALUES, "ConditionExpression": "attribute_not_exists(PK)"}),
    ("dynamodb", "GetItem", {"TableName": "table", "Key": {"PK": {"B": b"k"}}, "ConsistentRead": True}),
    (
        "dynamodb",
        "Query",
        {
            "TableName": "table",
            "KeyConditionExpression": "PK = :p",
            "ExpressionAttributeValues": {":p": {"S": "a"}},
            "Limit": 2,
        },
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "table", "Item": VALUES}}], "ClientRequestToken": "token"},
    ),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {"table": [{"PutRequest": {"Item": VALUES}}]}}),
    ("dynamodb", "ListTables", {}),
    (
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": "https://q/1/n", "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]},
    ),
    (
        "sqs",
        "SendMessage",
        {
            "QueueUrl": "https://q/1/n",
            "MessageBody": "ä🙂",
            "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\x00"}},
        },
    ),
    ("events", "PutEvents", {"Entries": [{"Source": "s", "Detail": '{"a": "ä"}', "Time": TIME}]}),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Time": TIME.astimezone(timezone(timedelta(hours=5)))}, {"Time": TIME.replace(tzinfo=None)}]},
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Time": TIME + timedelta(microseconds=1)}, {"Time": TIME + timedelta(microseconds=250_000)}]},
    ),
    ("kms", "Encrypt", {"KeyId": "k", "Plaintext": b"\x00secret", "EncryptionContext": {"org": "ä"}}),
    ("kms", "GenerateDataKey", {"KeyId": "k", "KeySpec": "AES_256"}),
    (
        "cognito-idp",
        "InitiateAuth",
        {"ClientId": "c", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "u"}},
    ),
    ("cognito-idp", "AdminGetUser", {"UserPoolId": "eu-central-1_a", "Username": "u"}),
    ("ssm", "GetParametersByPath", {"Path": "/a", "Recursive": True}),
    ("secretsmanager", "PutSecretValue", {"SecretId": "s", "SecretBinary": b"\x01", "ClientRequestToken": "t" * 32}),
]


def botocores_request(url: str, service: str, operation: str, params: dict[str, Any]) -> AWSPreparedRequest:
    client = botocore.session.Session().create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=BotocoreConfig(retries={"total_max_attempts": 1}),
    )
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        class Raw:
            def stream(self) -> list[bytes]:
                return [b"{}"]

        sent.append(request)
        return AWSResponse(request.url, 200, {}, Raw())

    client.meta.events.register_last("before-send", answer)
    client._make_api_call(operation, params)
    return sent[0]


def text_headers(headers: Any) -> dict[str, str]:
    return {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in headers.items()}


@pytest.mark.parametrize(
    ("service", "operation", "params"), CALLS, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_same_request(
    aws: CannedAws, client: AwsJson, service: str, operation: str, params: dict[str, Any]
) -> None:
    theirs = botocores_request(aws.url, service, operation, params)
    await client.call(service, operation, params)
    headers, body = aws.requests[-1]
    ours = text_headers(headers)
    expected = text_headers(theirs.headers)
    assert body == orjson.dumps(orjson.loads(theirs.body))
    for name in ("x-amz-target", "content-type", "x-amzn-query-mode"):
        assert ours.get(name) == expected.get(name)
    assert ("authorization" in ours) == ("authorization" in expected)
    if "authorization" not in expected:
        return
    signed = {k: v for k, v in expected.items() if k in expected["authorization"].partition("SignedHeaders=")[2]}
    names = [k for k in signed if k != "x-amz-date"]
    target = Environment("eu-central-1", aws.url).target(service)
    moment = datetime.strptime(expected["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    again = sign(target, {name: signed[name] for name in names}, theirs.body, KEYS, moment)
    assert again["Authorization"] == expected["authorization"]
