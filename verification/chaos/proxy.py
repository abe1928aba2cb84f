"""Fault proxy between the services and the embedded AWS; it also records the events that the bus accepted.

A long poll is forwarded as short ones while its caller is connected: the embedded AWS does not notice that a caller
has died and gives it messages until the end of its poll, which SQS does not do.
"""

import asyncio
import json
import socket
import struct
import time
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from deploy.embedded.ports import HOST
from verification.chaos.faults import EXECUTED, Fault, Faults
from verification.chaos.wire import Call, error_response, throttling_response

HOP_HEADERS = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "expect"})
SHORT_POLL = 1
UPSTREAM_SECONDS = 60.0
MAX_BODY = 4 * 1024 * 1024
NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER value by which closing a socket sends a reset, as when a machine disappears."""


class FaultProxy:
    """Proxy in front of `upstream`. `published` are the events (id -> detail) that the bus accepted; `calls` counts
    the requests."""

    def __init__(self, upstream: str, faults: Faults) -> None:
        self.faults = faults
        self.published: dict[str, str] = {}
        self.calls = 0
        self._upstream = URL(upstream)
        self._runner: web.ServerRunner | None = None
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
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls += 1
        body, call = await request.read(), Call.of(request)
        fault = self.faults.next(call.operation)
        match fault:
            case Fault.THROTTLED:
                return throttling_response(call)
            case Fault.REFUSED | Fault.OUTAGE:
                return error_response(call, "ServiceUnavailable", 503)
            case Fault.RESET_BEFORE:
                return _reset(request)
            case Fault.SLOW:
                await asyncio.sleep(self.faults.delay())
        # A call is executed even if its caller dies meanwhile.
        answer = await asyncio.shield(self._pass_on(request, call, body))
        assert fault is None or fault in EXECUTED
        match fault:
            case Fault.EXECUTED_THEN_500:
                return error_response(call, "InternalServerError", 500)
            case Fault.RESET_AFTER:
                return _reset(request)
        return answer

    async def _pass_on(self, request: web.BaseRequest, call: Call, body: bytes) -> web.Response:
        if call.operation == "ReceiveMessage":
            return await self._poll(request, body)
        answer = await self._forward(request, body)
        if call.operation == "PutEvents" and answer.status == 200:
            accepted = json.loads(_bytes(answer))["Entries"]
            for entry, result in zip(json.loads(body)["Entries"], accepted, strict=True):
                if "EventId" in result:
                    self.published[json.loads(entry["Detail"])["id"]] = entry["Detail"]
        return answer

    async def _poll(self, request: web.BaseRequest, body: bytes) -> web.Response:
        request_body: dict[str, Any] = json.loads(body)
        deadline = time.monotonic() + request_body.get("WaitTimeSeconds", 0)
        while True:
            left = deadline - time.monotonic()
            short = json.dumps({**request_body, "WaitTimeSeconds": SHORT_POLL if left > 0 else 0}).encode()
            answer = await self._forward(request, short)
            alive = request.transport is not None and not request.transport.is_closing()
            if left <= SHORT_POLL or not alive or answer.status != 200 or b'"Messages"' in _bytes(answer):
                return answer

    async def _forward(self, request: web.BaseRequest, body: bytes) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        url = self._upstream.join(URL(request.raw_path, encoded=True))
        try:
            async with self._session.request(
                request.method, url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as problem:
            return web.Response(status=502, text=f"the embedded AWS does not answer: {problem!r}")
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS}
        return web.Response(status=answer.status, body=raw, headers=headers)


def _bytes(answer: web.Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""


def _reset(request: web.BaseRequest) -> web.Response:
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
    return web.Response(status=500)  # nobody reads it
