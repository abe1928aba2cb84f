"""The OpenAPI document describes the requests and answers of every route."""

from typing import Any

import pytest
from fastapi import APIRouter

from chassis.declare.service import Service
from chassis.errors import DeclarationError
from chassis.http.guard import Anonymous
from chassis.http.route import Route
from chassis.tenants.rate_limit import ALLOWANCE_HEADERS
from chassis.testing.service import ServiceUnderTest
from tests.chassis.world import NewProject, service


@pytest.fixture
async def paths() -> dict[str, Any]:
    async with ServiceUnderTest(service).client(None) as http:
        document = (await http.get("/openapi.json")).json()
    assert "Problem" in document["components"]["schemas"]
    return dict(document["paths"])


def description_of(operation: dict[str, Any]) -> tuple[set[str], set[str]]:
    headers = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
    return headers, set(operation["responses"])


async def test_a_change_documents_its_conditions(paths: dict[str, Any]) -> None:
    headers, answers = description_of(paths["/v1/projects/{project_id}/name"]["put"])
    assert headers == {"Idempotency-Key", "If-Match"}
    told = (200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 431, 500, 503)
    assert answers == {str(status) for status in told}


async def test_a_read_documents_its_tag(paths: dict[str, Any]) -> None:
    operation = paths["/v1/projects/{project_id}"]["get"]
    headers, answers = description_of(operation)
    assert headers == {"If-None-Match"}
    assert "304" in answers
    assert "412" not in answers
    assert set(operation["responses"]["200"]["headers"]) == {*ALLOWANCE_HEADERS, "ETag"}
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Project"
    }


async def test_a_public_route_needs_no_token(paths: dict[str, Any]) -> None:
    assert "security" not in paths["/v1/projects/suggestions"]["post"]


async def test_a_limited_route_documents_its_rate_limit_headers(paths: dict[str, Any]) -> None:
    for method, path in (("post", "/v1/projects"), ("delete", "/v1/projects/{project_id}")):
        answers = paths[path][method]["responses"]
        assert set(answers["429"]["headers"]) == {*ALLOWANCE_HEADERS, "Retry-After"}
        assert set(next(iter(answers.values()))["headers"]) == set(ALLOWANCE_HEADERS)
    assert set(paths["/v1/projects/suggestions"]["post"]["responses"]["429"]["headers"]) == {"Retry-After"}


def test_a_patch_must_be_a_merge_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = APIRouter(prefix="/v1/things", route_class=Route)

    @routes.patch("/{thing_id}")
    async def change(scope: Anonymous, thing_id: str, body: NewProject) -> None: ...

    monkeypatch.setattr(Service, "load_router", lambda _self: routes)
    with pytest.raises(DeclarationError, match="derive the model of its body"):
        ServiceUnderTest(service).client(None)


async def test_errors_have_the_schema_of_problems(paths: dict[str, Any]) -> None:
    for path in paths.values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                assert int(status) < 400 or list(answer["content"]) == ["application/problem+json"]
