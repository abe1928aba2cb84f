"""Recording proxy between the processes of the services and the embedded AWS: it records the calls of each access key.

It changes nothing, not even the host of a request, since that is signed.
"""

from collections import Counter

import aiohttp
from aiohttp import web
from yarl import URL

from deploy.embedded.ports import HOST
from verification.privileges.calls import Http, UnreadableCallError, call_of
from verification.privileges.policy import Request

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "expect"})
LENGTH = {"content-length"}
"""Header that an answer to HEAD keeps, although it has no body."""
OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add by itself."""
UPSTREAM_SECONDS = 60.0
MAX_BODY = 32 * 1024 * 1024
FORBIDDEN = 403
REFUSAL = b"is not authorized to perform"


class RecordingProxy:
    """One proxy. `used` counts the requests of each key, `refused` the refusals of the embedded IAM, `unreadable` the
    requests that the proxy could not read."""

    def __init__(self, upstream: str) -> None:
        self.used: Counter[tuple[str, Request]] = Counter()
        self.refused: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        self._upstream = URL(upstream)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=UPSTREAM_SECONDS),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        query = {name.lower(): value for name, value in request.query.items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            call = call_of(Http(request.method, request.rel_url.raw_path, query, headers, body))
        except UnreadableCallError as problem:
            self.unreadable[str(problem)] += 1
        else:
            if call is not None:
                self.used.update((call.key_id, each) for each in call.requests)
        return await self._forward(request, body)

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        if self._session is None:
            raise RuntimeError("the proxy is not started")
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
        url = self._upstream.join(URL(request.raw_path, encoded=True))
        try:
            async with self._session.request(
                request.method, url, data=body, headers=headers, allow_redirects=False, skip_auto_headers=OWN_HEADERS
            ) as answer:
                raw, status = await answer.read(), answer.status
                dropped = HOP_BY_HOP - LENGTH if request.method == "HEAD" else HOP_BY_HOP
                response_headers = [
                    (name, value) for name, value in answer.headers.items() if name.lower() not in dropped
                ]
        except (aiohttp.ClientError, TimeoutError) as problem:
            return web.Response(status=502, text=f"the embedded AWS does not answer: {problem!r}")
        if REFUSAL in raw and status in {400, FORBIDDEN}:
            self.refused[raw.decode(errors="replace")[:300]] += 1
        response = web.Response(status=status, body=raw)
        for name, value in response_headers:
            response.headers[name] = value
        return response
