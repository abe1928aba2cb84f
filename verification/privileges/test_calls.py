"""Requests signed by boto3 are read back: their key, and what they request of IAM."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from deploy.aws import REGION
from verification.privileges.calls import Call, Http, UnreadableCallError, call_of
from verification.privileges.policy import Request

HERE = f"{REGION}:000000000000"
SESSION = boto3.Session("ASIAONE", "secret", "token", region_name=REGION)
QUEUE = "http://localhost/000000000000/q"
KEY = {"PK": {"S": "a"}, "SK": {"S": "b"}}


def as_http(method: str, url: str, headers: dict[str, str], body: bytes) -> Http:
    parts = urlsplit(url)
    lowered = {name.lower(): value for name, value in headers.items()}
    query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    return Http(method, parts.path, query, lowered, body)


def read(service: str, use: Callable[[Any], Any]) -> Call | None:
    """The call that is read from the request that `use` would send."""
    client, requests = SESSION.client(service, endpoint_url="http://localhost:1"), []  # type: ignore[call-overload]

    def intercept(request: Any, **_: Any) -> AWSResponse:
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        requests.append(as_http(request.method, request.url, headers, body))
        raise InterruptedError

    client.meta.events.register("before-send", intercept)
    with pytest.raises(InterruptedError):
        use(client)
    return call_of(requests[0])


def table(action: str, more: str = "") -> Request:
    return Request(f"dynamodb:{action}", f"arn:aws:dynamodb:{HERE}:table/t{more}")


CASES: list[tuple[str, Callable[[Any], Any], list[Request]]] = [
    ("dynamodb", lambda c: c.get_item(TableName="t", Key=KEY), [table("GetItem")]),
    ("dynamodb", lambda c: c.query(TableName="t", IndexName="list1"), [table("Query", "/index/list1")]),
    (
        "dynamodb",
        lambda c: c.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": KEY}},
                {"ConditionCheck": {"TableName": "t", "Key": KEY, "ConditionExpression": "x"}},
            ]
        ),
        [table("PutItem"), table("ConditionCheckItem")],
    ),
    (
        "dynamodb",
        lambda c: c.batch_write_item(RequestItems={"t": [{"DeleteRequest": {"Key": KEY}}]}),
        [table("BatchWriteItem")],
    ),
    (
        "sqs",
        lambda c: c.delete_message_batch(QueueUrl=QUEUE, Entries=[{"Id": "1", "ReceiptHandle": "x"}]),
        [Request("sqs:DeleteMessage", f"arn:aws:sqs:{HERE}:q")],
    ),
    ("sqs", lambda c: c.get_queue_url(QueueName="q"), [Request("sqs:GetQueueUrl", f"arn:aws:sqs:{HERE}:q")]),
    (
        "events",
        lambda c: c.put_events(Entries=[{"EventBusName": "b", "Source": s, "DetailType": "d"} for s in ("x", "y")]),
        [
            Request("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/b", frozenset({("events:source", s)}))
            for s in ("x", "y")
        ],
    ),
    (
        "kms",
        lambda c: c.decrypt(KeyId="k", CiphertextBlob=b"x", EncryptionContext={"org": "o"}),
        [Request("kms:Decrypt", f"arn:aws:kms:{HERE}:key/k", frozenset({("kms:EncryptionContext:org", "o")}))],
    ),
    ("s3", lambda c: c.head_object(Bucket="b", Key="o/k"), [Request("s3:GetObject", "arn:aws:s3:::b/o/k")]),
    (
        "s3",
        lambda c: c.delete_object(Bucket="b", Key="o/ü k", VersionId="v"),
        [Request("s3:DeleteObjectVersion", "arn:aws:s3:::b/o/ü k")],
    ),
    (
        "sesv2",
        lambda c: c.send_email(FromEmailAddress="Us <us@x.example>", Destination={}, Content={}),
        [
            Request("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/x.example").with_context(
                {"ses:FromAddress": "us@x.example"}
            )
        ],
    ),
]


@pytest.mark.parametrize(("service", "use", "expected"), CASES)
def test_a_call_is_read(service: str, use: Callable[[Any], Any], expected: list[Request]) -> None:
    assert read(service, use) == Call("ASIAONE", tuple(expected))


def test_a_call_without_a_permission_is_not_read() -> None:
    assert read("cognito-idp", lambda c: c.initiate_auth(ClientId="c", AuthFlow="USER_PASSWORD_AUTH")) is None


def test_a_presigned_url_and_a_form_are_read_as_their_signers() -> None:
    # Signed as in chassis.aws.client.
    s3 = SESSION.client(
        "s3",
        endpoint_url="http://localhost:1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "o/k", "VersionId": "v"})
    assert call_of(as_http("GET", url, {}, b"")) == Call(
        "ASIAONE", (Request("s3:GetObjectVersion", "arn:aws:s3:::b/o/k"),)
    )
    form = s3.generate_presigned_post("b", "o/k")
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    read_back = call_of(as_http("POST", "http://localhost:1/b", headers, "".join(parts).encode()))
    assert read_back == Call("ASIAONE", (Request("s3:PutObject", "arn:aws:s3:::b/o/k"),))


def test_an_unknown_call_is_an_error() -> None:
    with pytest.raises(UnreadableCallError, match="iam"):
        read("iam", lambda c: c.list_users())
    with pytest.raises(UnreadableCallError, match="events"):
        read("events", lambda c: c.list_rules())
