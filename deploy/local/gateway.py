"""The front door of the laptop: one base URL for all services, as API Gateway is one on AWS."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp
import fastapi_offline
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from deploy.embedded.ports import HOST
from deploy.local.routes import RouteTable
from deploy.local.traces import TraceWriter, UnreadableSpansError, parse, unzip

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The limit of API Gateway."""
TITLE = "Tenfold"
TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=3)
# Shorter than the services' own, or a request could be sent on a connection that is just being closed.
KEEP_ALIVE_SECONDS = 3
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    )
)
TRACES_PATH = "/_local/otlp"
"""The OTLP endpoint; exporters add /v1/traces."""
DOCS_ASSETS = Path(fastapi_offline.__file__).parent / "static"
"""Swagger UI comes with a package, not from a CDN: the page works offline."""
DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tenfold API</title>
<link rel="icon" href="/_local/docs/favicon.png"><link rel="stylesheet" href="/_local/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/_local/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true})</script></body></html>
"""


class Body:
    """A request's body in transit, of at most MAX_BODY_BYTES. `too_large` says afterwards whether it was cut off,
    because the client library hides why a body ended early."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.too_large = False

    async def chunks(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._request.content.iter_any():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                self.too_large = True
                raise aiohttp.ClientPayloadError("the body is too large")
            yield chunk


class Gateway:
    """Listens on `port`, forwards by the route table, and receives spans.

    `address` gives a service's base URL, or None while it is stopped. `extra` routes are the supervisor's own.
    """

    def __init__(
        self,
        port: int,
        routes: RouteTable,
        address: Callable[[str], str | None],
        traces: TraceWriter,
        extra: tuple[web.RouteDef, ...] = (),
    ) -> None:
        self._port, self._routes, self._address, self._traces, self._extra = port, routes, address, traces, extra
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises OSError if the port is taken."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        app = web.Application(client_max_size=2 * MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get("/openapi.json", self.show_document),
                web.get("/docs", self.show_document),
                web.static("/_local/docs", DOCS_ASSETS),
                web.get("/", self.show_document),
                web.post(f"{TRACES_PATH}/v1/traces", self.take_traces),
                *self._extra,
                web.route("*", "/{path:.*}", self.forward),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=5)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port, reuse_address=True).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def show_document(self, request: web.Request) -> web.Response:
        if request.path == "/":
            raise web.HTTPFound("/docs")
        if request.path == "/openapi.json":
            return web.json_response(self._routes.merge_documents(TITLE))
        return web.Response(text=DOCS, content_type="text/html")

    async def take_traces(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            spans = parse(unzip(body, request.headers.get("Content-Encoding", "")))
        except UnreadableSpansError as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        if not self._traces.add(spans):
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many spans wait to be written.", retry_after=1)
        return web.Response(content_type="application/x-protobuf")

    async def forward(self, request: web.Request) -> web.StreamResponse:
        service = self._routes.match(request.path)
        if service is None:
            return problem(HTTPStatus.NOT_FOUND, f"No service has a route {request.path}.")
        base = self._address(service)
        if base is None:
            return unavailable(service)
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return too_large()
        body = Body(request)
        try:
            return await self._exchange(request, base, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            return too_large() if body.too_large else failure(error, service)

    async def _exchange(self, request: web.Request, base: str, body: Body) -> web.StreamResponse:
        if self._session is None:
            raise RuntimeError("the gateway is not started")
        headers, peer = _end_to_end(request.headers), request.remote or "unknown"
        hops = request.headers.get("X-Forwarded-For")
        headers["X-Forwarded-For"] = f"{hops}, {peer}" if hops else peer
        headers.setdefault("X-Forwarded-Proto", request.scheme)
        headers.setdefault("X-Forwarded-Host", request.host)
        async with self._session.request(
            request.method,
            URL(base + request.raw_path, encoded=True),
            headers=headers,
            data=body.chunks() if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(
                status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers)
            )
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except (aiohttp.ClientError, TimeoutError):
                # The status is sent already: only a broken connection can tell the client that the body is incomplete.
                if request.transport is not None:
                    request.transport.abort()
                return response
            await response.write_eof()
            return response


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def failure(error: Exception, service: str) -> web.Response:
    if isinstance(error, aiohttp.ClientConnectorError):
        return unavailable(service)
    if isinstance(error, TimeoutError):
        return problem(HTTPStatus.GATEWAY_TIMEOUT, f"The service {service} did not answer in time.")
    return problem(HTTPStatus.BAD_GATEWAY, f"The service {service} broke off.")


def unavailable(service: str) -> web.Response:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The service {service} is not running.", retry_after=1)


def too_large() -> web.Response:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body may have at most {MAX_BODY_BYTES} bytes.")


def problem(status: HTTPStatus, detail: str, *, retry_after: int | None = None) -> web.Response:
    """An RFC 9457 answer, in the services' own form. It holds nobody's data, so every web page may read it."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    headers = {"Access-Control-Allow-Origin": "*"} | ({"Retry-After": str(retry_after)} if retry_after else {})
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/problem+json", headers=headers
    )
