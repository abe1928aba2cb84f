"""What a route answers with: the result of its use case, as its response model shows it."""

from collections.abc import Callable
from hashlib import blake2s
from typing import Any

from fastapi import Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from chassis.work.preconditions import tag_of

JSON = "application/json"
Rendering = Callable[[Any], Response]


class ShownOnce(BaseModel):
    """A response model with a secret in it, which nobody is shown a second time. Such an answer is not kept: a repeated
    request has no second effect, and no answer with the secret either."""

    model_config = ConfigDict(json_schema_extra={"x-shown-once": True})


def is_shown_once(route: APIRoute) -> bool:
    return isinstance(route.response_model, type) and issubclass(route.response_model, ShownOnce)


def render(route: APIRoute, result: Any) -> Response:
    """The answer to a request whose use case came to `result`. A response model that is not the result itself makes
    itself `of` it. Raises ResponseValidationError for a result that the route does not declare."""
    if isinstance(result, Response):
        return result
    status = route.status_code or 200
    if route.response_field is None:
        return Response(b"" if status == 204 else b"null", status, media_type=None if status == 204 else JSON)
    model, version = route.response_model, getattr(result, "version", None)
    if hasattr(model, "of") and not isinstance(result, model):
        result = model.of(result)
    value, errors = route.response_field.validate(result, {}, loc=("response",))
    if errors:
        raise ResponseValidationError(errors=errors, body=result)
    content = route.response_field.serialize_json(value, exclude_none=route.response_model_exclude_none)
    return Response(content, status, _tag(route, version, content), media_type=JSON)


def _tag(route: APIRoute, version: object, content: bytes) -> dict[str, str]:
    """What is read has a tag, and what is changed, if it has a version."""
    known = version if isinstance(version, int) else None
    if known is None and "GET" not in (route.methods or ()):
        return {}
    return {"ETag": tag_of(known, blake2s(content, digest_size=8).hexdigest())}
