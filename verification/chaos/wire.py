"""How AWS's protocols name a call, and how each says an error."""

import json
from dataclasses import dataclass

from aiohttp import web

THROTTLING = {
    "dynamodb": ("ThrottlingException", 400),
    "sqs": ("RequestThrottled", 400),
    "events": ("ThrottlingException", 400),
    "ssm": ("ThrottlingException", 400),
}
PREFIXES = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "AWSEvents": "events", "AmazonSSM": "ssm"}
TOO_MANY = ("TooManyRequestsException", 429)


@dataclass(frozen=True)
class Call:
    """`service` is "dynamodb", "sqs", ..., or "rest" for what names its operation by method and path."""

    service: str
    operation: str

    @classmethod
    def of(cls, request: web.BaseRequest) -> "Call":
        target = request.headers.get("X-Amz-Target", "")
        if not target:
            return cls("rest", f"{request.method} {request.path}")
        prefix, _, operation = target.rpartition(".")
        return cls(PREFIXES.get(prefix.partition("_")[0], "json"), operation)


def error(call: Call, code: str, status: int) -> web.Response:
    """An error as the call's service says it. Clients of JSON services read the body, those of others the header."""
    body = json.dumps({"__type": code, "message": "planted by the chaos test"}).encode()
    kind = "application/json" if call.service == "rest" else "application/x-amz-json-1.0"
    return web.Response(status=status, body=body, headers={"Content-Type": kind, "x-amzn-errortype": code})


def throttled(call: Call) -> web.Response:
    code, status = THROTTLING.get(call.service, TOO_MANY)
    return error(call, code, status)
