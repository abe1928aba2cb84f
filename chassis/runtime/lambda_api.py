"""The HTTP API of a service as a Lambda function behind API Gateway: `chassis.runtime.lambda_api.handler`."""

from collections.abc import Mapping
from typing import Any

from mangum import Mangum
from starlette.types import Receive, Scope, Send

from chassis.auth.discovery import issuer_finder, key_fetcher
from chassis.auth.tokens import TokenVerifier
from chassis.http.app import make_app
from chassis.http.problems import MEDIA_TYPE
from chassis.runtime.function import Function
from chassis.runtime.health import probes, readiness


class Api:
    """The same app as in a worker; it answers when everything that it committed is published."""

    def __init__(self, function: Function) -> None:
        self._function = function
        verifier = TokenVerifier(issuer_finder(function.settings, function.aws), key_fetcher(), function.tools.clock)
        wanted = probes(function.service, function.tools, function.aws, function.settings.names)
        origins = function.settings.tenfold_public_origins
        self._app = make_app(
            function.service, function.tools, verifier, lambda: readiness(wanted), public_origins=origins
        )
        self._adapter = Mangum(self._serve, lifespan="off", text_mime_types=["text/", "application/json", MEDIA_TYPE])

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._adapter(dict(event), context)
        finally:
            self._function.export_spans()
        return answer

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._function.connected(self._answered(scope, receive, send))

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        await self._function.tools.denials.settle()


handler = Api(Function.from_environment())
