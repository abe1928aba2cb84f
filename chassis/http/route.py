"""The route class of every service: rendering, conditional requests and idempotency around each endpoint."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from chassis.errors import AlreadyAnswered, TenfoldError
from chassis.http.conditions import not_modified_or
from chassis.http.idempotency import fingerprint_of, is_keyed, record_answer, replay_if_done, replay_of
from chassis.http.queries import KNOWN, known_query
from chassis.http.rendering import is_shown_once, render

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """Renders the result of its endpoint, with its entity tag, and answers a repeated request like the first one."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        @functools.wraps(endpoint)
        async def call_and_render(*args: Any, **kwargs: Any) -> Response:
            return render(self, await endpoint(*args, **kwargs))

        super().__init__(path, call_and_render, **options)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        known = known_query(self.dependant)

        async def handle_once(request: Request) -> Response:
            setattr(request.state, KNOWN, known)
            if not is_keyed(request):
                return not_modified_or(request, await handle(request))
            request.state.fingerprint = await fingerprint_of(request)
            request.state.rendering = None if is_shown_once(self) else functools.partial(render, self)
            try:
                response = await _handle_or_replay(handle, request)
                await record_answer(request, response)
            except AlreadyAnswered as before:
                return replay_of(before.item)
            return response

        return handle_once


def combine_routers(*routers: APIRouter) -> APIRouter:
    """One router with the routes of a service's features, in order.

    FastAPI's `include_router` would nest the routers instead (0.165 includes lazily), and the access that each route
    declares is read from a flat list.
    """
    return APIRouter(routes=[route for router in routers for route in router.routes])


async def _handle_or_replay(handle: Handler, request: Request) -> Response:
    """The response. A request that fails after an earlier try succeeded raises AlreadyAnswered instead of its error."""
    try:
        return await handle(request)
    except AlreadyAnswered:
        raise
    except TenfoldError:
        await replay_if_done(request)
        raise
