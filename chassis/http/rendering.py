"""What a route answers with: the result of its use case, as its response model shows it."""

from collections.abc import Callable
from typing import Any

from fastapi import Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute

JSON = "application/json"
Rendering = Callable[[Any], Response]


def render(route: APIRoute, result: Any) -> Response:
    """The answer to a request whose use case came to `result`. A response model that is not the result itself makes
    itself `of` it. Raises ResponseValidationError for a result that the route does not declare."""
    if isinstance(result, Response):
        return result
    status = route.status_code or 200
    if route.response_field is None:
        return Response(b"" if status == 204 else b"null", status, media_type=None if status == 204 else JSON)
    model = route.response_model
    if hasattr(model, "of") and not isinstance(result, model):
        result = model.of(result)
    value, errors = route.response_field.validate(result, {}, loc=("response",))
    if errors:
        raise ResponseValidationError(errors=errors, body=result)
    content = route.response_field.serialize_json(value, exclude_none=route.response_model_exclude_none)
    return Response(content, status, media_type=JSON)
