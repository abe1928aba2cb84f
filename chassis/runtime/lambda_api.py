"""The HTTP API of a service as a Lambda function behind API Gateway: `chassis.runtime.lambda_api.handler`."""

from collections.abc import Mapping
from typing import Any

from mangum import Mangum
from starlette.types import Receive, Scope, Send

from chassis.http.problems import MEDIA_TYPE
from chassis.runtime.bootstrap import make_api
from chassis.runtime.function import Function
from chassis.runtime.health import probes


class Api:
    """The same app as in a process. It answers when all events that it committed are published."""

    def __init__(self, function: Function) -> None:
        self._function = function
        wanted = probes(function.service, function.context, function.aws, function.settings.names)
        self._app, self._state = make_api(function.service, function.context, function.settings, function.aws, wanted)
        self._adapter = Mangum(self._serve, lifespan="off", text_mime_types=["text/", "application/json", MEDIA_TYPE])

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._adapter(dict(event), context)
        finally:
            self._function.export_spans()
        return answer

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer() -> None:
            await self._app(scope, receive, send)
            await self._state.access_denied.settle()

        await self._function.connect_and_run(answer())


handler = Api(Function.from_environment())
