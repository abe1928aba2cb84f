"""Reading signed HTTP requests to AWS: the key that signed, and the actions and resources that IAM decides on."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import botocore.session

from deploy.aws import REGION
from verification.privileges.policy import Request

ACCOUNT = "000000000000"
SECRET_ENDING = "-a1B2c3"
"""Secrets Manager appends six random characters to each ARN."""
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")
_FORM_FIELD = r'name="{name}"\r\n\r\n(.*?)\r\n'
_TRANSACTION = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_S3 = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_MAIL = "/v2/email/outbound-emails"


class UnreadableCallError(Exception):
    """A request whose actions this module does not know; add them here."""


@dataclass(frozen=True)
class Http:
    """An HTTP request. Names of headers and query parameters are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A call to AWS: the id of the access key that signed it, and what it requests of IAM."""

    key_id: str
    requests: tuple[Request, ...]


def call_of(http: Http) -> Call | None:
    """The call in a request; None if it is not signed, or needs no permission. Raises UnreadableCallError."""
    if http.method == "OPTIONS":
        return None
    signature = _read_signature(http)
    if signature is None:
        return None
    key_id, service = signature
    if service not in _READERS:
        raise UnreadableCallError(f"a call of {service}")
    if service != "s3" and service != "ses":
        operation = http.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in _public_operations(service):
            return None
        requests = tuple(_READERS[service](operation, json.loads(http.body or b"{}")))
    else:
        requests = tuple(read_s3(http) if service == "s3" else read_ses(http))
    if not requests:
        raise UnreadableCallError(f"{service}: {http.method} {http.path} {http.headers.get('x-amz-target', '')}")
    return Call(key_id, requests)


def _read_signature(http: Http) -> tuple[str, str] | None:
    """The key id and the service of the signature, which is in a header, in a presigned URL or in a form."""
    if match := _CREDENTIAL.search(http.headers.get("authorization", "")):
        return match[1], match[2]
    scope = http.query.get("x-amz-credential") or _field(http, "x-amz-credential")
    if scope is None:
        return None
    key_id, _, _, service, _ = scope.split("/")
    return key_id, service


def _field(http: Http, name: str) -> str | None:
    """A field of an upload form; the fields are at the beginning, since the file comes last."""
    if "multipart/form-data" not in http.headers.get("content-type", ""):
        return None
    match = re.search(_FORM_FIELD.format(name=name).encode(), http.body[:20_000], re.IGNORECASE)
    return match[1].decode() if match else None


@lru_cache
def _public_operations(service: str) -> frozenset[str]:
    """Operations that need no permission according to the model of the service."""
    model = botocore.session.get_session().get_service_model(service)
    return frozenset(name for name in model.operation_names if model.operation_model(name).auth_type == "none")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def read_dynamodb(operation: str, body: Any) -> Iterator[Request]:
    if operation.startswith("Transact"):
        for item in body["TransactItems"]:
            for member, detail in item.items():
                yield Request(f"dynamodb:{_TRANSACTION[member]}", _arn("dynamodb", f"table/{detail['TableName']}"))
        return
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    for table in body.get("RequestItems") or [body["TableName"]]:
        yield Request(f"dynamodb:{operation}", _arn("dynamodb", f"table/{table}{index}"))


def read_sqs(operation: str, body: Any) -> Iterator[Request]:
    name = body.get("QueueName") or body["QueueUrl"].rpartition("/")[2]
    yield Request(f"sqs:{operation.removesuffix('Batch')}", _arn("sqs", name))


def read_events(operation: str, body: Any) -> Iterator[Request]:
    if operation == "PutEvents":
        for entry in body["Entries"]:
            bus = Request("events:PutEvents", _arn("events", f"event-bus/{entry['EventBusName']}"))
            yield bus.with_context({"events:source": entry["Source"]})
    elif operation == "DescribeEventBus":
        yield Request("events:DescribeEventBus", _arn("events", f"event-bus/{body['Name']}"))


def read_ssm(operation: str, body: Any) -> Iterator[Request]:
    for name in body["Names"]:
        yield Request(f"ssm:{operation}", _arn("ssm", f"parameter{name}"))


def read_kms(operation: str, body: Any) -> Iterator[Request]:
    context = {f"kms:EncryptionContext:{name}": value for name, value in body.get("EncryptionContext", {}).items()}
    yield Request(f"kms:{operation}", _arn("kms", f"key/{body['KeyId']}")).with_context(context)


def read_cognito(operation: str, body: Any) -> Iterator[Request]:
    yield Request(f"cognito-idp:{operation}", _arn("cognito-idp", f"userpool/{body['UserPoolId']}"))


def read_secretsmanager(operation: str, body: Any) -> Iterator[Request]:
    secret: str = body["SecretId"]
    yield Request(
        f"secretsmanager:{operation}",
        secret if secret.startswith("arn:") else _arn("secretsmanager", f"secret:{secret}{SECRET_ENDING}"),
    )


def read_ses(http: Http) -> Iterator[Request]:
    if (http.method, http.path) != ("POST", _MAIL):
        return
    body = json.loads(http.body)
    sender = parseaddr(body["FromEmailAddress"])[1]
    resources = [f"identity/{sender.partition('@')[2]}"]
    if "ConfigurationSetName" in body:
        resources.append(f"configuration-set/{body['ConfigurationSetName']}")
    for resource in resources:
        yield Request("ses:SendEmail", _arn("ses", resource)).with_context({"ses:FromAddress": sender})


def read_s3(http: Http) -> Iterator[Request]:
    bucket, _, key = unquote(http.path).lstrip("/").partition("/")
    if http.method == "POST" and not key:
        key, action = _field(http, "key") or "", "PutObject"
    else:
        action = _S3.get(http.method, "")
    if key and action:
        version = "Version" if "versionid" in http.query and action != "PutObject" else ""
        yield Request(f"s3:{action}{version}", f"arn:aws:s3:::{bucket}/{key}")


_READERS: Mapping[str, Callable[[str, Any], Iterator[Request]]] = {
    "dynamodb": read_dynamodb,
    "sqs": read_sqs,
    "events": read_events,
    "ssm": read_ssm,
    "kms": read_kms,
    "cognito-idp": read_cognito,
    "secretsmanager": read_secretsmanager,
    "s3": lambda *_: iter(()),
    "ses": lambda *_: iter(()),
}
