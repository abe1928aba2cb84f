"""How commands speak to the running supervisor: a few routes of the front door, for this machine's owner only."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from deploy.local.gateway import problem
from deploy.stage.errors import DeployError, LocalError

if TYPE_CHECKING:
    from deploy.local.system import LocalSystem

PATH = "/_local"
HEADER = "X-Tenfold-Local"
"""A web page that is open in a browser cannot send a header of its own here without being asked first, so it can
neither stop a service nor read an environment."""
ACTION_SECONDS = 120.0


class Control:
    """The supervisor's own routes. `system` is set once it exists, for the routes must be known before."""

    def __init__(self) -> None:
        self.system: LocalSystem | None = None

    def routes(self) -> tuple[web.RouteDef, ...]:
        return (
            web.get(f"{PATH}/status", self._status),
            web.get(f"{PATH}/services/{{name}}/environment", self._environment),
            web.post(f"{PATH}/services/{{name}}/{{action}}", self._act),
        )

    async def _status(self, _: web.Request) -> web.Response:
        system = self._running()
        return web.json_response(
            {
                "base_url": system.base_url,
                "mailbox_url": system.emulator.mailbox_url,
                "endpoint_url": system.emulator.endpoint_url,
                "parts": system.status(),
            }
        )

    async def _environment(self, request: web.Request) -> web.Response:
        return await _guarded(request, lambda: self._variables(request.match_info["name"]))

    async def _variables(self, name: str) -> dict[str, str]:
        return self._running().environment(name)

    async def _act(self, request: web.Request) -> web.Response:
        name, action = request.match_info["name"], request.match_info["action"]
        return await _guarded(request, lambda: self._do(name, action))

    async def _do(self, name: str, action: str) -> dict[str, str]:
        system = self._running()
        actions = {"start": system.start_service, "stop": system.stop_service, "restart": system.restart_service}
        if action not in actions:
            raise LocalError(f"a service can {', '.join(actions)}, not {action}")
        await actions[action](name)
        return {name: system.status()[name]}

    def _running(self) -> "LocalSystem":
        if self.system is None:
            raise LocalError("the system is not started")
        return self.system


async def _guarded(request: web.Request, action: Callable[[], Awaitable[dict[str, str]]]) -> web.Response:
    if HEADER not in request.headers:
        return problem(HTTPStatus.FORBIDDEN, f"Send the header {HEADER}.")
    try:
        async with asyncio.timeout(ACTION_SECONDS):
            return web.json_response(await action())
    except DeployError as error:
        return problem(HTTPStatus.CONFLICT, str(error))


def ask(base_url: str, path: str, *, method: str = "GET") -> dict[str, Any]:
    """Ask the supervisor at `base_url`. Raises LocalError with its reason, or if nothing answers."""
    request = urllib.request.Request(f"{base_url}{PATH}{path}", method=method, headers={HEADER: "1"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ACTION_SECONDS + 5) as answer:  # noqa: S310
            parsed: dict[str, Any] = json.load(answer)
            return parsed
    except urllib.error.HTTPError as error:
        try:
            reason = json.load(error).get("detail", str(error))
        except ValueError:
            reason = str(error)
        raise LocalError(reason) from None
    except (urllib.error.URLError, OSError) as error:
        raise LocalError(f"the supervisor does not answer at {base_url} ({error}); start it with `make up`") from None
