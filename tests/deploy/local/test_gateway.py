import gzip
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.embedded.ports import HOST, free_port
from deploy.local.gateway import MAX_BODY_BYTES, TRACES_PATH, Gateway
from deploy.local.routes import RouteTable
from deploy.local.traces import Traces, TraceWriter

TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")


class Stub:
    """A service that says what reached it, and one that nobody started."""

    def __init__(self) -> None:
        self.port = free_port()

    async def start(self) -> web.AppRunner:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes([web.get("/up/broken", self.broken), web.route("*", "/up/{path:.*}", self.echo)])
        runner = web.AppRunner(app, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, HOST, self.port).start()
        return runner

    async def echo(self, request: web.Request) -> web.Response:
        body = await request.read()
        seen = {"path": request.raw_path, "bytes": len(body), "forwarded": request.headers.get("X-Forwarded-For")}
        response = web.json_response(seen, status=418)
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        return response

    async def broken(self, request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    return Traces(tmp_path / "traces.sqlite")


@pytest.fixture
def writer(tmp_path: Path) -> TraceWriter:
    writer = TraceWriter(tmp_path / "traces.sqlite")
    writer.start()
    return writer


@pytest.fixture
async def client(writer: TraceWriter) -> AsyncIterator[httpx.AsyncClient]:
    stub, port, routes = Stub(), free_port(), RouteTable()
    routes.set("up", {"paths": {"/up/{path}": {}}})
    routes.set("down", {"paths": {"/down": {}}})
    routes.set("gone", {"paths": {"/gone": {}}})
    addresses = {"up": f"http://{HOST}:{stub.port}", "gone": f"http://{HOST}:{free_port()}"}
    runner, gateway = await stub.start(), Gateway(port, routes, addresses.get, writer)
    await gateway.start()
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as client:
        yield client
    await gateway.stop()
    await runner.cleanup()
    writer.stop()


async def test_a_request_passes_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.post("/up/a%20b?c=d%26", content=b"body", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == 418
    assert answer.json() == {"path": "/up/a%20b?c=d%26", "bytes": 4, "forwarded": f"192.0.2.1, {HOST}"}
    assert answer.headers.get_list("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("service", ["down", "gone"])
async def test_a_service_that_does_not_run_is_503(client: httpx.AsyncClient, service: str) -> None:
    answer = await client.get(f"/{service}")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert service in answer.json()["detail"]


async def test_a_service_that_breaks_off_is_502(client: httpx.AsyncClient) -> None:
    assert (await client.get("/up/broken")).status_code == 502


async def test_a_path_of_nobody_is_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


async def test_a_body_too_large_is_413_with_and_without_a_length(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield bytes(MAX_BODY_BYTES // 10)

    assert (await client.post("/up/x", content=bytes(MAX_BODY_BYTES + 1))).status_code == 413
    assert (await client.post("/up/x", content=chunks())).status_code == 413
    assert (await client.post("/up/x", content=bytes(MAX_BODY_BYTES))).json()["bytes"] == MAX_BODY_BYTES


async def test_one_document_and_its_page(client: httpx.AsyncClient) -> None:
    assert set((await client.get("/openapi.json")).json()["paths"]) == {"/up/{path}", "/down", "/gone"}
    assert "/openapi.json" in (await client.get("/docs")).text


def request_with_a_span(name: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = "tasks"
    start = time.time_ns()
    span = resource.scope_spans.add().spans.add(trace_id=TRACE, span_id=bytes(7) + b"\1", name=name, kind=5)
    span.start_time_unix_nano, span.end_time_unix_nano = start, start + 3_000_000
    span.attributes.add(key="messaging.message.id").value.string_value = "e1"
    span.attributes.add(key="count").value.int_value = 3
    span.links.add(trace_id=TRACE, span_id=bytes(7) + b"\2")
    return request


async def test_spans_are_kept_and_found(client: httpx.AsyncClient, writer: TraceWriter, traces: Traces) -> None:
    for number, body in enumerate([request_with_a_span("publish").SerializeToString()] * 2):
        packed = gzip.compress(body) if number else body
        headers = {"Content-Encoding": "gzip"} if number else {}
        answer = await client.post(f"{TRACES_PATH}/v1/traces", content=packed, headers=headers)
        assert answer.status_code == 200
    writer.stop()
    (span,) = traces.spans_of(TRACE.hex())
    assert (span.name, span.kind, span.service, span.parent_id, span.milliseconds) == (
        "publish",
        "consumer",
        "tasks",
        None,
        3.0,
    )
    assert span.attributes == {"messaging.message.id": "e1", "count": 3}
    assert span.links == ((TRACE.hex(), "0000000000000002"),)
    assert traces.find("publish", service="tasks", attributes={"messaging.message.id": "e1", "count": 3}) == [span]
    assert traces.find("publish", attributes={"count": 4}) == []


async def test_what_is_no_trace_is_400(client: httpx.AsyncClient) -> None:
    path = f"{TRACES_PATH}/v1/traces"
    assert (await client.post(path, content=b"nonsense")).status_code == 400
    assert (await client.post(path, content=b"x", headers={"Content-Encoding": "gzip"})).status_code == 400


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert Traces(tmp_path / "none").spans_of("00") == []
