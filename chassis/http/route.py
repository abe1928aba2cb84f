"""The route of every service: what all of them do alike around their functions."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from chassis.errors import TenfoldError
from chassis.http.conditions import unless_known
from chassis.http.idempotency import fingerprint_of, is_keyed, keep, replay_if_done, replayed
from chassis.http.queries import KNOWN, known_query
from chassis.http.rendering import is_shown_once, render
from chassis.work.idempotency_claims import AlreadyAnswered

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """Renders what its function returns, with its entity tag, and answers a repeated request as the first one."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, self._rendered(endpoint), **options)

    def _rendered(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(endpoint)
        async def rendered(*args: Any, **kwargs: Any) -> Response:
            return render(self, await endpoint(*args, **kwargs))

        return rendered

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        known = known_query(self.dependant)

        async def handled(request: Request) -> Response:
            setattr(request.state, KNOWN, known)
            if not is_keyed(request):
                return unless_known(request, await handle(request))
            request.state.fingerprint = await fingerprint_of(request)
            request.state.rendering = None if is_shown_once(self) else functools.partial(render, self)
            try:
                return await self._once(handle, request)
            except AlreadyAnswered as before:
                return replayed(before.item)

        return handled

    async def _once(self, handle: Handler, request: Request) -> Response:
        try:
            response = await handle(request)
        except TenfoldError:
            await replay_if_done(request)
            raise
        await keep(request, response)
        return response
