"""Turns an HTTP answer into a result or a typed error."""

from collections.abc import Mapping
from typing import Any

import orjson

from awsjson.codec import decode
from awsjson.errors import (
    THROTTLING_CODES,
    AwsError,
    CancellationReason,
    ConditionFailed,
    Throttled,
    TransactionCancelled,
)
from awsjson.service import Operation, Service


def result(
    service: Service, operation: Operation, status: int, headers: Mapping[str, str], raw: bytes
) -> dict[str, Any]:
    """The answer of a call, with its blobs and timestamps decoded. Raises AwsError."""
    if status >= 300:
        raise error(service, operation, status, headers, raw)
    if not raw:
        return {}
    try:
        answer: dict[str, Any] = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        failure = AwsError(
            "InvalidResponse",
            str(problem),
            status=status,
            service=service.name,
            operation=operation.name,
            retryable=True,
        )
        failure.outcome_unknown = True
        raise failure from problem
    if operation.answer is not None and any(marker in raw for marker in operation.markers):
        decode(operation.answer, answer)
    return answer


def error(service: Service, operation: Operation, status: int, headers: Mapping[str, str], raw: bytes) -> AwsError:
    """The typed error for an answer that is not a success."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # a load balancer answers in HTML: its first words say more than a parser's complaint
        body = {"message": raw[:200].decode(errors="replace")}
    if not isinstance(body, dict):
        body = {"message": str(body)[:200]}
    # `com.amazonaws.dynamodb.v20120810#Some:http://...` is `Some`
    spelled = str(body.get("__type") or headers.get("x-amzn-errortype") or body.get("code") or f"Http{status}")
    code = spelled.rpartition("#")[2].partition(":")[0]
    if node := service.errors.get(code):
        decode(node, body)
    return typed_error(
        code,
        str(body.get("message") or body.get("Message") or ""),
        body,
        retryable=True if code in service.retryable_errors else None,
        status=status,
        service=service.name,
        operation=operation.name,
        request_id=headers.get("x-amzn-RequestId", ""),
    )


def typed_error(
    code: str, message: str, body: Mapping[str, Any], *, retryable: bool | None = None, **where: Any
) -> AwsError:
    """The error of `code`, with the item or reasons in `body`; `where` has AwsError's status, service and so on."""
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(code, message, item=body.get("Item"), **where)
    if code == "TransactionCanceledException":
        reasons = tuple(
            CancellationReason(reason.get("Code") or "None", reason.get("Message") or "", reason.get("Item"))
            for reason in body.get("CancellationReasons") or ()
        )
        return TransactionCancelled(code, message, reasons=reasons, **where)
    if code in THROTTLING_CODES or where.get("status") == 429:
        return Throttled(code, message, **where)
    return AwsError(code, message, retryable=retryable, **where)
