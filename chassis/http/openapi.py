"""The parts of the OpenAPI document that every route shares: headers, problems and required access."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from chassis.auth.access import Access, access_of
from chassis.errors import DeclarationError
from chassis.http.conditions import CHANGES
from chassis.http.idempotency import HEADER, MAX_KEY, UNSAFE
from chassis.http.patches import MEDIA_TYPE as MERGE_PATCH
from chassis.http.patches import MergePatch
from chassis.http.problems import MEDIA_TYPE
from chassis.http.route import Route
from chassis.tenants.rate_limit import ALLOWANCE_HEADERS
from chassis.work.preconditions import MAX_HEADER

PROBLEMS = {
    400: "The body can't be read",
    401: "No valid token or credentials",
    403: "The role does not allow the operation, or the web origin is not allowed",
    404: "Not found, or not visible to the caller",
    405: "Method not allowed",
    408: "The body did not arrive in time",
    409: "Conflicts with the present state, or was changed in the meantime",
    412: "The entity tag in If-Match no longer matches",
    413: "The body is too large",
    415: "Unsupported media type",
    422: "The request is not valid",
    429: "Too many requests",
    431: "The headers are too large",
    500: "Unexpected error on our side",
    503: "Try again",
}


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details. `type` is stable; `operation` comes with 403, `errors` with 422."""

    type: str
    title: str
    status: int
    detail: str
    trace_id: str | None = None
    operation: str | None = None
    errors: list[FieldProblem] = Field(default_factory=list)


def document_answers(router: APIRouter) -> None:
    """Complete each route's part of the document. Raises DeclarationError for a route of another class than ours, and
    for a PATCH whose body is not a merge patch."""
    for route in router.routes:
        if not isinstance(route, Route):
            raise DeclarationError(f"{getattr(route, 'path', route)}: make its router with route_class=Route")
        _require_merge_patch(route)
        access = access_of(route.dependant, route.path)
        route.responses = {**_responses(route, access), **route.responses}
        extra = dict(route.openapi_extra or {})
        extra["parameters"] = [*extra.get("parameters", ()), *_headers(route)]
        route.openapi_extra = extra


def document_access(router: APIRouter) -> None:
    """Write each route's access into its part of the document. Raises DeclarationError."""
    for route in router.routes:
        name = f"{','.join(sorted(getattr(route, 'methods', None) or ()))} {getattr(route, 'path', route)}"
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            raise DeclarationError(f"{name} can't be guarded; declare it on the service's router itself")
        extensions = access_of(dependant, name).extensions()
        route.openapi_extra = {**(getattr(route, "openapi_extra", None) or {}), **extensions}  # type: ignore[attr-defined]


def complete_document(app: FastAPI) -> None:
    """Add to the app's document the schemas that its answers refer to, and both media types of a merge patch."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        for path in document["paths"].values():
            if "patch" in path:
                content = path["patch"]["requestBody"]["content"]
                content[MERGE_PATCH] = content["application/json"]
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs") | {"Problem": schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _require_merge_patch(route: APIRoute) -> None:
    if "PATCH" not in (route.methods or ()):
        return
    body = route.body_field.field_info.annotation if route.body_field else None
    if not (isinstance(body, type) and issubclass(body, MergePatch)):
        raise DeclarationError(f"PATCH {route.path}: derive the model of its body from MergePatch")


def _responses(route: APIRoute, access: Access) -> dict[int | str, dict[str, Any]]:
    methods = route.methods or set()
    unsafe = bool(methods & UNSAFE)
    statuses = {401, 404, 422, 429, 431, 500, 503}
    statuses |= {403} if unsafe or access.kind == "guarded" else set()
    statuses |= {400, 408, 409, 413, 415} if unsafe else {409}
    statuses |= {412} if methods & CHANGES else set()
    schema = {"$ref": "#/components/schemas/Problem"}
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted(statuses)
    }
    allowance = _allowance() if access.kind in {"guarded", "signed-in"} else {}
    responses[429]["headers"] = {"Retry-After": _whole("Seconds to wait before another try"), **allowance}
    responses[route.status_code or 200] = {"headers": allowance | (_tag() if "GET" in methods else {})}
    if "GET" in methods:
        responses[304] = {"description": "Not changed since If-None-Match", "headers": allowance | _tag()}
    return responses


def _headers(route: APIRoute) -> list[dict[str, Any]]:
    methods = route.methods or set()
    headers = []
    if methods & UNSAFE:
        headers.append(
            _header(HEADER, "A repetition with this key gets the same answer for 24 hours", MAX_KEY, least=1)
        )
    if methods & CHANGES:
        headers.append(_header("If-Match", "Only if the resource still has one of these tags, or `*`", MAX_HEADER))
    if "GET" in methods:
        headers.append(_header("If-None-Match", "Only if the resource has none of these tags", MAX_HEADER))
    return headers


def _header(name: str, description: str, longest: int, least: int = 0) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": longest} | ({"minLength": least} if least else {})
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _tag() -> dict[str, Any]:
    return {"ETag": {"description": "The entity tag of this representation", "schema": {"type": "string"}}}


def _allowance() -> dict[str, Any]:
    limit, remaining, reset = ALLOWANCE_HEADERS
    return {
        limit: _whole("Requests that the caller's tightest limit allows at once"),
        remaining: _whole("How many of them remain"),
        reset: _whole("Seconds until all of them are available again"),
    }


def _whole(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}
