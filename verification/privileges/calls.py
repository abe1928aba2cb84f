"""What a signed HTTP request asks of AWS: whose key signed it, and the actions and resources that IAM decides on."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import botocore.session

from deploy.stage.aws import REGION
from verification.privileges.policy import Request

ACCOUNT = "000000000000"
SECRET_ENDING = "-a1B2c3"
"""Secrets Manager ends each ARN with six characters of its own."""
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")
_FORM_FIELD = r'name="{name}"\r\n\r\n(.*?)\r\n'
_TRANSACTION = {
    "Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}  # fmt: skip
_S3 = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_MAIL = "/v2/email/outbound-emails"


class UnreadableCallError(Exception):
    """A request whose actions are not known here; say them in this module."""


@dataclass(frozen=True)
class Http:
    """A request as it came. Header and query names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """`key_id` is of the credentials that signed."""

    key_id: str
    requests: tuple[Request, ...]


def call_of(http: Http) -> Call | None:
    """None for what is not signed, or for what anybody may call. Raises UnreadableCallError."""
    if http.method == "OPTIONS":
        return None
    signed = _signed(http)
    if signed is None:
        return None
    key_id, service = signed
    if service not in _READERS:
        raise UnreadableCallError(f"a call of {service}")
    if service != "s3" and service != "ses":
        operation = http.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in _public(service):
            return None
        found = _READERS[service](operation, json.loads(http.body or b"{}"))
    else:
        found = _object(http) if service == "s3" else _mail(http)
    requests = tuple(found)
    if not requests:
        raise UnreadableCallError(f"{service}: {http.method} {http.path} {http.headers.get('x-amz-target', '')}")
    return Call(key_id, requests)


def _signed(http: Http) -> tuple[str, str] | None:
    """The key and the service that the signature is for: in a header, in a presigned address or in a form."""
    if found := _CREDENTIAL.search(http.headers.get("authorization", "")):
        return found[1], found[2]
    scope = http.query.get("x-amz-credential") or _field(http, "x-amz-credential")
    if scope is None:
        return None
    key_id, _, _, service, _ = scope.split("/")
    return key_id, service


def _field(http: Http, name: str) -> str | None:
    """A field of an upload's form; the file comes last, so the fields are in the beginning."""
    if "multipart/form-data" not in http.headers.get("content-type", ""):
        return None
    found = re.search(_FORM_FIELD.format(name=name).encode(), http.body[:20_000], re.IGNORECASE)
    return found[1].decode() if found else None


@lru_cache
def _public(service: str) -> frozenset[str]:
    """Operations that need no permission, by the service's own model."""
    model = botocore.session.get_session().get_service_model(service)
    return frozenset(name for name in model.operation_names if model.operation_model(name).auth_type == "none")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _table(operation: str, body: Any) -> Iterator[Request]:
    if operation.startswith("Transact"):
        for item in body["TransactItems"]:
            for member, detail in item.items():
                yield Request(f"dynamodb:{_TRANSACTION[member]}", _arn("dynamodb", f"table/{detail['TableName']}"))
        return
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    for table in body.get("RequestItems") or [body["TableName"]]:
        yield Request(f"dynamodb:{operation}", _arn("dynamodb", f"table/{table}{index}"))


def _queue(operation: str, body: Any) -> Iterator[Request]:
    name = body.get("QueueName") or body["QueueUrl"].rpartition("/")[2]
    yield Request(f"sqs:{operation.removesuffix('Batch')}", _arn("sqs", name))


def _bus(operation: str, body: Any) -> Iterator[Request]:
    if operation == "PutEvents":
        for entry in body["Entries"]:
            bus = Request("events:PutEvents", _arn("events", f"event-bus/{entry['EventBusName']}"))
            yield bus.with_context({"events:source": entry["Source"]})
    elif operation == "DescribeEventBus":
        yield Request("events:DescribeEventBus", _arn("events", f"event-bus/{body['Name']}"))


def _parameter(operation: str, body: Any) -> Iterator[Request]:
    for name in body["Names"]:
        yield Request(f"ssm:{operation}", _arn("ssm", f"parameter{name}"))


def _key(operation: str, body: Any) -> Iterator[Request]:
    context = {f"kms:EncryptionContext:{name}": value for name, value in body.get("EncryptionContext", {}).items()}
    yield Request(f"kms:{operation}", _arn("kms", f"key/{body['KeyId']}")).with_context(context)


def _pool(operation: str, body: Any) -> Iterator[Request]:
    yield Request(f"cognito-idp:{operation}", _arn("cognito-idp", f"userpool/{body['UserPoolId']}"))


def _secret(operation: str, body: Any) -> Iterator[Request]:
    secret: str = body["SecretId"]
    yield Request(
        f"secretsmanager:{operation}",
        secret if secret.startswith("arn:") else _arn("secretsmanager", f"secret:{secret}{SECRET_ENDING}"),
    )


def _mail(http: Http) -> Iterator[Request]:
    if (http.method, http.path) != ("POST", _MAIL):
        return
    body = json.loads(http.body)
    sender = parseaddr(body["FromEmailAddress"])[1]
    resources = [f"identity/{sender.partition('@')[2]}"]
    if "ConfigurationSetName" in body:
        resources.append(f"configuration-set/{body['ConfigurationSetName']}")
    for resource in resources:
        yield Request("ses:SendEmail", _arn("ses", resource)).with_context({"ses:FromAddress": sender})


def _object(http: Http) -> Iterator[Request]:
    bucket, _, key = unquote(http.path).lstrip("/").partition("/")
    if http.method == "POST" and not key:
        key, action = _field(http, "key") or "", "PutObject"
    else:
        action = _S3.get(http.method, "")
    if key and action:
        version = "Version" if "versionid" in http.query and action != "PutObject" else ""
        yield Request(f"s3:{action}{version}", f"arn:aws:s3:::{bucket}/{key}")


_READERS: Mapping[str, Callable[[str, Any], Iterator[Request]]] = {
    "dynamodb": _table, "sqs": _queue, "events": _bus, "ssm": _parameter, "kms": _key, "cognito-idp": _pool,
    "secretsmanager": _secret, "s3": lambda *_: iter(()), "ses": lambda *_: iter(()),
}  # fmt: skip
