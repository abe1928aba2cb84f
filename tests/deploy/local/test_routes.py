from typing import Any

import pytest

from deploy.local.routes import RouteTable


def document(*paths: str, **schemas: Any) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Thing"}
    operation = {"operationId": "read", "responses": {"200": {"content": {"application/json": {"schema": reference}}}}}
    return {"paths": {path: {"get": operation} for path in paths}, "components": {"schemas": schemas}}


@pytest.fixture
def table() -> RouteTable:
    table = RouteTable()
    table.set("tasks", document("/v1/tasks", "/v1/tasks/{id}", "/v1/orgs/{org}/backlog", Thing={"type": "string"}))
    table.set("tenancy", document("/v1/orgs", "/v1/orgs/{org}", "/v1/orgs/mine", Thing={"type": "object"}))
    return table


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/tasks/task_1", "tasks"),
        ("/v1/orgs", "tenancy"),
        ("/v1/orgs/org_1", "tenancy"),
        ("/v1/orgs/org_1/backlog", "tasks"),
        ("/v1/tasks/task_1/nothing", "tasks"),
        ("/v1/tasks/", "tasks"),
        ("/v1", None),
        ("/v2/tasks", None),
        ("/", None),
    ],
)
def test_a_path_belongs_to_the_service_that_declared_it(table: RouteTable, path: str, service: str | None) -> None:
    assert table.match(path) == service


def test_a_literal_segment_stands_before_a_parameter() -> None:
    table = RouteTable()
    table.set("a", document("/v1/{kind}/mine"))
    table.set("b", document("/v1/orgs/{org}"))
    assert table.match("/v1/orgs/mine") == "b"


def test_the_merged_document_keeps_differing_components_apart(table: RouteTable) -> None:
    merged = table.merge_documents("Tenfold")
    assert merged["components"]["schemas"] == {"tasks_Thing": {"type": "string"}, "tenancy_Thing": {"type": "object"}}
    operation = merged["paths"]["/v1/tasks"]["get"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/tasks_Thing"
    }
    assert operation["operationId"] == "tasks_read"
    assert operation["tags"] == ["tasks"]


def test_equal_components_are_one() -> None:
    table = RouteTable()
    table.set("a", document("/a", Thing={"type": "string"}))
    table.set("b", document("/b", Thing={"type": "string"}))
    assert list(table.merge_documents("x")["components"]["schemas"]) == ["Thing"]


def test_a_new_document_replaces_the_old(table: RouteTable) -> None:
    table.set("tasks", document("/v1/jobs"))
    assert table.match("/v1/tasks") is None
    assert table.match("/v1/jobs") == "tasks"
