"""The supervisor's own routes at the front door, for commands on this machine only."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from deploy.errors import DeployError, LocalError
from deploy.local.gateway import problem
from deploy.local.supervisor_client import ACTION_SECONDS, HEADER, PATH

if TYPE_CHECKING:
    from deploy.local.system import LocalSystem


class Control:
    """The supervisor's own routes. `system` is set once it exists, because the routes must be known before."""

    def __init__(self) -> None:
        self.system: LocalSystem | None = None

    def routes(self) -> tuple[web.RouteDef, ...]:
        return (
            web.get(f"{PATH}/status", self.show_status),
            web.get(f"{PATH}/services/{{name}}/environment", self.show_environment),
            web.post(f"{PATH}/services/{{name}}/{{action}}", self.act),
        )

    async def show_status(self, _: web.Request) -> web.Response:
        system = self._running()
        return web.json_response(
            {
                "base_url": system.base_url,
                "mailbox_url": system.emulator.mailbox_url,
                "endpoint_url": system.emulator.endpoint_url,
                "parts": system.status(),
            }
        )

    async def show_environment(self, request: web.Request) -> web.Response:
        async def variables() -> dict[str, str]:
            return self._running().environment(request.match_info["name"])

        return await _guarded(request, variables)

    async def act(self, request: web.Request) -> web.Response:
        name, action = request.match_info["name"], request.match_info["action"]

        async def act() -> dict[str, str]:
            system = self._running()
            actions = {"start": system.start_service, "stop": system.stop_service, "restart": system.restart_service}
            if action not in actions:
                raise LocalError(f"a service can {', '.join(actions)}, not {action}")
            await actions[action](name)
            return {name: system.status()[name]}

        return await _guarded(request, act)

    def _running(self) -> "LocalSystem":
        if self.system is None:
            raise LocalError("the system is not started")
        return self.system


async def _guarded(request: web.Request, answer: Callable[[], Awaitable[dict[str, str]]]) -> web.Response:
    if HEADER not in request.headers:
        return problem(HTTPStatus.FORBIDDEN, f"Send the header {HEADER}.")
    try:
        async with asyncio.timeout(ACTION_SECONDS):
            return web.json_response(await answer())
    except DeployError as error:
        return problem(HTTPStatus.CONFLICT, str(error))
