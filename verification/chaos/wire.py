"""AWS's protocols: the name of a call, and the form of an error."""

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
    """A call's service ("dynamodb", "sqs" ..., or "rest" where method and path name the operation) and operation."""

    service: str
    operation: str

    @classmethod
    def of(cls, request: web.BaseRequest) -> "Call":
        target = request.headers.get("X-Amz-Target", "")
        if not target:
            return cls("rest", f"{request.method} {request.path}")
        prefix, _, operation = target.rpartition(".")
        return cls(PREFIXES.get(prefix.partition("_")[0], "json"), operation)


def error_response(call: Call, code: str, status: int) -> web.Response:
    """An error in the form of the call's service. Clients of JSON services read the body, others the header."""
    body = json.dumps({"__type": code, "message": "planted by the chaos test"}).encode()
    kind = "application/json" if call.service == "rest" else "application/x-amz-json-1.0"
    return web.Response(status=status, body=body, headers={"Content-Type": kind, "x-amzn-errortype": code})


def throttling_response(call: Call) -> web.Response:
    code, status = THROTTLING.get(call.service, TOO_MANY)
    return error_response(call, code, status)
