"""Responses: the result of a use case, shown as the response model of its route."""

from collections.abc import Callable
from functools import partial
from hashlib import blake2s
from typing import Any

from fastapi import Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from chassis.work.preconditions import tag_of
from chassis.work.repository import Page

JSON = "application/json"
Rendering = Callable[[Any], Response]


class ShownOnce(BaseModel):
    """A response model with a secret in it, which nobody is shown a second time. Such an answer is not kept: a repeated
    request has no second effect, and no answer with the secret either."""

    model_config = ConfigDict(json_schema_extra={"x-shown-once": True})


def is_shown_once(route: APIRoute) -> bool:
    return isinstance(route.response_model, type) and issubclass(route.response_model, ShownOnce)


def render(route: APIRoute, result: Any) -> Response:
    """The response to a request, made from `result`: the view that the route returns, or the aggregate that a use case
    commits with its answer. Raises ResponseValidationError for a result that the route does not declare."""
    if isinstance(result, Response):
        return result
    status = route.status_code or 200
    if route.response_field is None:
        return Response(b"" if status == 204 else b"null", status, media_type=None if status == 204 else JSON)
    view = view_of(route.response_model, result)
    value, errors = route.response_field.validate(view, {}, loc=("response",))
    if errors:
        raise ResponseValidationError(errors=errors, body=view)
    content = route.response_field.serialize_json(value, exclude_none=route.response_model_exclude_none)
    return Response(content, status, _tag(route, getattr(result, "version", None), content), media_type=JSON)


def view_of(model: Any, result: Any) -> Any:
    """`result` as the response model `model` shows it: made by the model's class method `of`, if it has one and the
    result is not a view already. Of a page, that holds for each item."""
    if isinstance(result, Page) and isinstance(model, type) and issubclass(model, Page):
        return result.map(partial(view_of, *model.__pydantic_generic_metadata__["args"]))
    return result if not hasattr(model, "of") or isinstance(result, model) else model.of(result)


def _tag(route: APIRoute, version: object, content: bytes) -> dict[str, str]:
    """The `ETag` header: of everything that is read, and of what is changed if it has a version."""
    known = version if isinstance(version, int) else None
    if known is None and "GET" not in (route.methods or ()):
        return {}
    return {"ETag": tag_of(known, blake2s(content, digest_size=8).hexdigest())}
