"""Errors as RFC 9457 problem details, alike on every route."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route

from chassis.errors import Forbidden, Invalid, TenfoldError
from chassis.http.cors import headers_of_refusal
from chassis.http.headers import NOTES, complete
from chassis.http.state import api_state_of
from chassis.telemetry.tracing import current_trace_id
from chassis.tenants.access_denied_events import Refused, reason_of

log = structlog.get_logger(__name__)

PROBLEM_TYPES = "https://tenfold.example/problems/"
MEDIA_TYPE = "application/problem+json"
KINDS = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-type"}


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    retry_after: float | None = None,
    **members: Any,
) -> JSONResponse:
    """A problem details answer. `members` are its extension members."""
    body = {
        "type": PROBLEM_TYPES + kind,
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "trace_id": current_trace_id(),
        **members,
    }
    headers = {"Retry-After": str(max(1, round(retry_after)))} if retry_after is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    present = {name: value for name, value in body.items() if value is not None}
    return JSONResponse(present, status, headers=headers, media_type=MEDIA_TYPE)


def field_errors(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """pydantic's errors as `{"field": "body.title", "message": ...}`."""
    return [{"field": ".".join(str(part) for part in error["loc"]), "message": error["msg"]} for error in errors]


async def _record(request: Request, error: TenfoldError) -> None:
    """Publish a refusal for the audit trail, if it is known whose it is."""
    scope, operation = getattr(request.state, "answered_for", (None, None))
    reason = reason_of(error)
    if scope is None or reason is None:
        return
    asked = error.operation if isinstance(error, Forbidden) else operation
    route = getattr(request.scope.get("route"), "path", request.url.path)
    await api_state_of(request).access_denied.record(Refused(scope, asked, reason, request.method, route))


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Turn every error of `app` into a problem. `routes` are those that clients know."""

    @app.exception_handler(TenfoldError)
    async def on_tenfold_error(request: Request, error: TenfoldError) -> JSONResponse:
        await _record(request, error)
        members: dict[str, Any] = {}
        if isinstance(error, Forbidden):
            members["operation"] = error.operation
        if isinstance(error, Invalid) and error.fields:
            members["errors"] = [{"field": each.field, "message": each.message} for each in error.fields]
        if error.status >= 500:
            log.warning("request_failed", kind=error.kind, detail=error.detail)
        return problem(error.status, error.kind, error.detail, retry_after=error.retry_after, **members)

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = field_errors(error.errors())
        named = ", ".join(each["field"] for each in errors[:5])
        return problem(422, "invalid", f"The request is not valid: {named}.", errors=errors)

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, KINDS.get(error.status_code, "http-error"), str(error.detail))
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = _methods_of(request, routes) or answer.headers["Allow"]
        return answer

    @app.exception_handler(Exception)
    async def on_crash(request: Request, error: Exception) -> JSONResponse:
        log.error("request_crashed", exc_info=error)
        answer = problem(500, "internal", "Something went wrong on our side; the trace id helps us to find it.")
        # Starlette answers a crash outside of all middleware.
        complete(answer.headers, {**headers_of_refusal(request.scope, 500), **getattr(request.state, NOTES, {})})
        return answer


def _methods_of(request: Request, routes: Sequence[BaseRoute]) -> str:
    """All methods of the path: Starlette names only those of its first route. If several paths match, the one with the
    fewest parameters is meant (OpenAPI 3.1, Paths Object)."""
    here = [route for route in routes if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL]
    meant = min((route.path for route in here), key=lambda path: path.count("{"), default="")
    return ", ".join(sorted({method for route in here if route.path == meant for method in route.methods or ()}))
