"""Errors have the same form everywhere, name what is wrong, and reveal no secrets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import Message, Receive, Scope, Send

from chassis.http.middleware import MAX_BODY, BodyLimit
from chassis.http.problems import install
from chassis.testing.service import ServiceUnderTest
from tests.chassis.world import service


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


@pytest.fixture
async def http(world: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


def kind(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], bool(body["title"]), bool(body["detail"])) == (answer.status_code, True, True)
    return str(body["type"].removeprefix("https://tenfold.example/problems/"))


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b'{"name": ""}', ["body.name"]),
        (b'{"name": "x", "tags": ["long enough"]}', ["body.tags.0"]),
        (b'{"name": "x", "colour": "red"}', ["body.colour"]),
        (b'{"tags": [1], "name": 7}', ["body.name", "body.tags.0"]),
        (b"{}", ["body.name"]),
        (b"[]", ["body"]),
        (b"", ["body"]),
        (b"{", ["body.1"]),
    ],
)
async def test_an_invalid_body_names_the_field(http: httpx.AsyncClient, content: bytes, fields: list[str]) -> None:
    answer = await http.post("/v1/projects", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, kind(answer)) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert all(field in answer.json()["detail"] for field in fields)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=many", "limit=1e9"])
async def test_an_invalid_query_names_the_parameter(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/v1/projects?{query}")
    assert (answer.status_code, kind(answer)) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["query.limit"]


async def test_a_rule_of_our_own_names_the_field_in_the_same_way(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/projects/proj_1/invalid")
    assert (answer.status_code, kind(answer)) == (422, "invalid")
    assert answer.json()["errors"] == [{"field": "path.project_id", "message": "is wrong"}]


async def test_a_retryable_error_says_when_to_retry(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/projects/proj_1/later")
    assert (answer.status_code, kind(answer), answer.headers["retry-after"]) == (409, "not-yet", "2")


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/v1/nowhere", 404, "not-found"),
        ("GET", "/v1/projects/proj_nothing", 404, "not-found"),
        ("PATCH", "/v1/projects", 405, "method-not-allowed"),
    ],
)
async def test_a_missing_thing(http: httpx.AsyncClient, method: str, path: str, status: int, expected: str) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, kind(answer)) == (status, expected)


async def test_a_crash_reveals_only_its_trace_id(
    world: ServiceUnderTest, spans: InMemorySpanExporter, logged: list[dict[str, Any]]
) -> None:
    async with world.client() as http:
        answer = await http.get("/v1/projects/proj_1/crash")
    assert repr(next(line["exc_info"] for line in logged if line["event"] == "request_crashed")).count("secret") == 1
    assert (answer.status_code, kind(answer)) == (500, "internal")
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    [span] = spans.get_finished_spans()
    assert answer.json()["trace_id"] == f"{span.context.trace_id:032x}"
    attributes = span.attributes or {}
    assert (attributes["http.response.status_code"], attributes["http.route"]) == (
        500,
        "/v1/projects/{project_id}/crash",
    )


async def test_a_request_and_its_event_continue_the_callers_trace(
    world: ServiceUnderTest, spans: InMemorySpanExporter
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with world.client() as http:
        headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        answer = await http.post("/v1/projects", json={"name": "Web"}, headers=headers)
        assert answer.status_code == 201
        assert (await http.post("/v1/projects", json={}, headers=headers)).json()["trace_id"] == trace
    [event] = await world.published_events()
    assert event.traceparent is not None
    assert event.traceparent.split("-")[1] == trace
    names = [span.name for span in spans.get_finished_spans()]
    assert sorted(names) == ["POST /v1/projects", "POST /v1/projects", "publish tasks.project.created.v1"]


async def test_a_body_with_a_too_large_announced_length_is_refused_unread(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/projects", content=b"x" * (MAX_BODY + 1))
    assert (answer.status_code, kind(answer)) == (413, "too-large")


async def test_a_too_large_body_without_an_announced_length_is_refused(http: httpx.AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_BODY:
            sent += 65536
            yield b"x" * 65536

    answer = await http.post("/v1/projects", content=chunks())
    assert "content-length" not in answer.request.headers
    assert (answer.status_code, kind(answer)) == (413, "too-large")


async def test_a_body_in_chunks_arrives_whole(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in (b'{"na', b'me": ', b'"Web"}'):
            yield piece

    answer = await http.post("/v1/projects", content=chunks(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["name"]) == (201, "Web")


@pytest.mark.parametrize("length", ["-1", "many", "\u00b2", "1e3"])
async def test_a_body_of_an_impossible_length_is_refused(http: httpx.AsyncClient, length: str) -> None:
    headers = {"Content-Length": length.encode("latin-1")}
    answer = await http.post("/v1/projects", content=b"{}", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, kind(answer)) == (413, "too-large")


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent: list[Message] = []

    async def nothing_comes() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("it must not be asked")

    scope = {"type": "http", "headers": [(b"content-length", b"10")]}
    await BodyLimit(never, seconds=0.01)(scope, nothing_comes, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_an_unknown_method_is_answered_with_the_allowed_ones(http: httpx.AsyncClient) -> None:
    answer = await http.request("TRACE", "/v1/projects")
    assert (answer.status_code, kind(answer)) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"
    assert (await http.post("/health/live")).headers["allow"] == "GET"


async def test_of_two_matching_paths_the_one_with_fewer_parameters_wins() -> None:
    app = FastAPI()
    app.add_api_route("/things/{name}", lambda name: name, methods=["PUT"])
    app.add_api_route("/things/rotation", lambda: None, methods=["POST"])
    install(app, app.routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        assert (await http.get("/things/rotation")).headers["allow"] == "POST"
        assert (await http.get("/things/other")).headers["allow"] == "PUT"


async def test_health_needs_no_token(world: ServiceUnderTest) -> None:
    async with world.client(None) as http:
        assert (await http.get("/health/live")).json() == {"status": "live", "service": "tasks"}
        assert (await http.get("/health/ready")).status_code == 200


async def test_the_document_has_short_operation_ids_and_the_token_scheme(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert document["paths"]["/v1/projects"]["post"]["operationId"] == "create_project"
    assert [*document["components"]["securitySchemes"]] == ["HTTPBearer", "ApiKey"]
