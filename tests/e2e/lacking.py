"""A proxy that makes an AWS lack services: it refuses them by the scope of the signature."""

import re
from collections.abc import Collection
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from deploy.embedded.ports import HOST, free_port

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
SIGNED_AS = {"sesv2": "ses", "apigatewayv2": "apigateway"}
HOP_BY_HOP = frozenset({"transfer-encoding", "connection"})
LIMIT = 64 * 1024 * 1024


class Lacking:
    """Answers for `services` (boto3's names) as LocalStack's free edition does; passes everything else on."""

    def __init__(self, endpoint_url: str, services: Collection[str]) -> None:
        self._target, self._lacks = endpoint_url, {SIGNED_AS.get(one, one) for one in services}
        self._port = free_port()
        self.refused: list[str] = []

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=90))
        app = web.Application(client_max_size=LIMIT)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        if scope and scope[1] in self._lacks:
            self.refused.append(scope[1])
            text = f"API for service '{scope[1]}' not yet implemented or pro feature"
            return web.json_response({"__type": "InternalFailure", "message": text}, status=501)
        # Its own address in Host: an emulator takes a strange one for the name of a bucket.
        forwarded = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with self._session.request(
            request.method,
            self._target + request.raw_path,
            headers=forwarded,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)  # with the answer's own length: that of a HEAD is of what it does not send
            await response.write_eof(await answer.read())
            return response
