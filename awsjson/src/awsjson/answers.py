"""From an HTTP answer to a result or a typed error."""

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
    """What the call answered. Raises AwsError."""
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
    """The typed error of an answer that is not a success."""
    body = _body(raw)
    code = _code(str(body.get("__type") or headers.get("x-amzn-errortype") or body.get("code") or f"Http{status}"))
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
    """The error of a code, with what else the answer says; `where` is AwsError's status, service and so on."""
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(code, message, item=body.get("Item"), **where)
    if code == "TransactionCanceledException":
        return TransactionCancelled(code, message, reasons=_reasons(body), **where)
    if code in THROTTLING_CODES or where.get("status") == 429:
        return Throttled(code, message, **where)
    return AwsError(code, message, retryable=retryable, **where)


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # a load balancer answers in HTML: its first words say more than a parser's complaint
        return {"message": raw[:200].decode(errors="replace")}
    return body if isinstance(body, dict) else {"message": str(body)[:200]}


def _code(raw: str) -> str:
    """`com.amazonaws.dynamodb.v20120810#Some:http://...` is `Some`."""
    return raw.rpartition("#")[2].partition(":")[0]


def _reasons(body: Mapping[str, Any]) -> tuple[CancellationReason, ...]:
    return tuple(
        CancellationReason(reason.get("Code") or "None", reason.get("Message") or "", reason.get("Item"))
        for reason in body.get("CancellationReasons") or ()
    )
