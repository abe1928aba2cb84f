"""Conventions of all routes, tested on every route in the OpenAPI documents: a new route is tested as well."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from deploy.services import service_names
from verification.isolation.people import STAFF
from verification.isolation.requests import Route, Template, routes_of, templates_of
from verification.isolation.samples import own, victims
from verification.isolation.seeds import world_of
from verification.isolation.test_secrets import secrets_in
from verification.isolation.world import Outcome, Request, World

JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
Path = tuple[str, ...]
Schema = Mapping[str, Any]
SECRETS = frozenset({"key", "secret", "password", "access_token", "refresh_token", "token", "code"})
"""Fields that an answer may show once and that a stored answer must not contain."""
NO_SECRETS = {"tasks": frozenset({"key"})}
"""The key of a project is part of the names of its tasks."""
OFFSET, INSTANT, NO_OFFSET = "2027-01-31T09:00:00+05:30", "2027-01-31T03:30:00", "2027-01-31T09:00:00"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"\\]*")
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Document:
    """The OpenAPI document of a service, with resolved references."""

    def __init__(self, world: World) -> None:
        self.world, self._document = world, world.app.openapi()

    def resolve(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self.resolve(self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self.resolve(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        return schema

    def body(self, route: Route) -> Schema:
        content = route.operation.get("requestBody", {}).get("content", {})
        return self.resolve(content[JSON]["schema"]) if JSON in content else {}

    def response_schema(self, route: Route) -> Schema:
        """Schema of the route's answer when it succeeds."""
        answer = next(answer for status, answer in route.operation["responses"].items() if status.startswith("2"))
        return self.resolve(answer.get("content", {}).get(JSON, {}).get("schema", {}))

    def leaves(self, schema: Schema, value_at: Path = ()) -> Iterator[tuple[Path, Schema]]:
        """Fields of an object and of the objects in it."""
        for name, described in self.resolve(schema).get("properties", {}).items():
            if "properties" in self.resolve(described):
                yield from self.leaves(described, (*value_at, name))
            else:
                yield (*value_at, name), described


async def send_as_owner(world: World, template: Template, request: Request, *, restore: bool = True) -> Outcome:
    """Send the owner's request, by default in the seeded state."""
    if restore:
        world.restore()
    access = template.route.access
    holder = world.holders.get(template.route.id, world.vera)
    claims = STAFF.staff_claims() if access == "staff" else holder.claims(world.victim_org)
    return await world.send(request, None if access == "public" else world.token(claims))


def request_of(template: Template) -> Request:
    return template.fill(own if template.route.access == "public" else victims)


def nest(path: Path, value: Any) -> dict[str, Any]:
    return {path[0]: nest(path[1:], value) if path[1:] else value}


def value_at(path: Path, value: Any) -> Any:
    for name in path:
        value = value[name]
    return value


def takes_null(schema: Schema) -> bool:
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


# --- partial updates


async def patch_templates() -> list[tuple[Document, Template]]:
    patches: list[tuple[Document, Template]] = []
    for service in service_names():
        world = await world_of(service)
        routes = [each for each in routes_of(world) if each.method == "patch"]
        patches += [(Document(world), templates_of(world, route)[0]) for route in routes]
    return patches


async def test_every_patch_is_a_merge_patch() -> None:
    templates = await patch_templates()
    for document, template in templates:
        await _check_merge_patch(document, template)
    assert templates


async def _check_merge_patch(document: Document, template: Template) -> None:
    world, name = document.world, template.route.name
    whole = template.fill(victims)

    async def patch(body: Any, content_type: str = MERGE_PATCH) -> Outcome:
        request = replace(whole, body=json.dumps(body), headers={"Content-Type": content_type})
        return await send_as_owner(world, template, request)

    content = template.route.operation["requestBody"]["content"]
    assert content[MERGE_PATCH] == content[JSON], name
    nothing = await patch({})
    assert nothing.status == 200, (name, nothing.body)
    before = json.loads(nothing.body)
    assert before["version"] == json.loads((await patch({})).body)["version"], f"{name}: {{}} changes the version"
    as_json, as_patch = await patch(whole.body, JSON), await patch(whole.body)
    assert (as_json.status, as_json.body) == (200, as_patch.body), name
    leaves = dict(document.leaves(document.body(template.route)))
    for path, schema in leaves.items():
        where = f"{name}: {'.'.join(path)}"
        after = json.loads((await patch(nest(path, value_at(path, whole.body)))).body)
        assert value_at(path, after) == value_at(path, whole.body), where
        assert value_at(path, after) != value_at(path, before), f"{where}: seed another value"
        others = {other: value_at(other, after) for other in leaves if other != path}
        assert others == {other: value_at(other, before) for other in others}, f"{where} changes another field"
        assert (await patch(nest(path, None))).status == (200 if takes_null(schema) else 422), where
        refused = await patch(nest((*path[:-1], "unknown"), 1))
        assert refused.status == 422, where
        assert "unknown" in refused.body, where


# --- times


def times_in(document: Document, template: Template) -> Iterator[tuple[str, Request, Request, Request]]:
    """Each timestamp of a request: its name, and the request with an offset, without one, and out of range."""
    request, route = request_of(template), template.route
    values = (OFFSET, NO_OFFSET, "0001-01-01T00:00:00+05:30")
    for each in route.operation.get("parameters", ()):
        if document.resolve(each["schema"]).get("format") == "date-time":
            yield each["name"], *(replace(request, query={**request.query, each["name"]: value}) for value in values)
    for path, schema in document.leaves(document.body(route)):
        if document.resolve(schema).get("format") == "date-time":
            bodies = (_replace_value(request.body, path, value) for value in values)
            yield ".".join(path), *(replace(request, body=body) for body in bodies)  # type: ignore[misc]


def _replace_value(body: Any, path: Path, value: str) -> Any:
    changed = deepcopy(body)
    value_at(path[:-1], changed)[path[-1]] = value
    return changed


@pytest.mark.parametrize("service", service_names())
async def test_timestamps_need_an_offset_and_are_answered_in_utc(service: str) -> None:
    world = await world_of(service)
    document = Document(world)
    for template in (each for route in routes_of(world) for each in templates_of(world, route)):
        name = template.route.name
        for timestamp in TIME.findall((await send_as_owner(world, template, request_of(template))).body):
            assert UTC_TIME.fullmatch(timestamp), f"{name} answers {timestamp}"
        for field, good, without_offset, beyond in times_in(document, template):
            outcome = await send_as_owner(world, template, good)
            assert outcome.status < 300, f"{name}: {field}: {outcome.body}"
            assert OFFSET not in outcome.body, f"{name} answers {field} without converting it"
            if good.body is not None and field in document.response_schema(template.route).get("properties", {}):
                assert json.loads(outcome.body)[field] == f"{INSTANT}Z", f"{name}: {field}"
            for refused in (without_offset, beyond):
                assert (await send_as_owner(world, template, refused)).status == 422, f"{name}: {field}"


def test_the_timestamps_of_these_tests_are_the_same_time() -> None:
    assert datetime.fromisoformat(OFFSET) == datetime.fromisoformat(f"{INSTANT}+00:00")


# --- lists


def filters_of(route: Route) -> dict[str, Schema]:
    query = {each["name"]: each["schema"] for each in route.operation.get("parameters", ()) if each["in"] == "query"}
    return {name: schema for name, schema in query.items() if name not in {"limit", "cursor"}}


def is_named_by_the_rule(document: Document, name: str, schema: Schema, item: Schema) -> bool:
    """Whether a filter is named after the field that it compares.

    Examples are `kind`, `resource_id` for `resource.id`, and `assignee_id` for any of `assignee_ids`. A period is given
    by `since` and `until`, a condition by a boolean.
    """
    kind = document.resolve(schema)
    if name in {"since", "until"}:
        return kind.get("format") == "date-time"
    fields = {"_".join(path) for path, _ in document.leaves(item)}
    return kind.get("type") == "boolean" or name in fields or f"{name}s" in fields


@pytest.mark.parametrize("service", service_names())
async def test_lists_have_the_same_form(service: str) -> None:
    world = await world_of(service)
    document = Document(world)
    for route in (each for each in routes_of(world) if each.method == "get"):
        schema = document.response_schema(route)
        names = {each["name"] for each in route.operation.get("parameters", ()) if each["in"] == "query"}
        if "items" not in schema.get("properties", {}):
            assert not names, f"{route.name} is not a list, but has query parameters"
            assert schema.get("type") != "array", f"{route.name}: answer with a Page"
            continue
        assert set(schema["properties"]) == {"items", "next"}, route.name
        assert names >= {"limit", "cursor"}, route.name
        item = document.resolve(schema["properties"]["items"]["items"])
        for name, filter_schema in filters_of(route).items():
            assert is_named_by_the_rule(document, name, filter_schema, item), f"{route.name}: {name}"


@pytest.mark.parametrize("service", service_names())
async def test_every_route_refuses_unknown_query_parameters(service: str) -> None:
    world = await world_of(service)
    for template in (templates_of(world, route)[0] for route in routes_of(world)):
        request = request_of(template)
        outcome = await send_as_owner(world, template, replace(request, query={**request.query, "colour": "red"}))
        assert outcome.status == 422, f"{template.route.name}: {outcome.status} {outcome.body}"
        assert '"query.colour"' in outcome.body, template.route.name


# --- secrets


@pytest.mark.parametrize("service", service_names())
async def test_no_item_contains_a_secret_although_requests_can_be_repeated(service: str) -> None:
    """Neither a secret that an answer shows once nor one in a request; a repetition has no effect and shows none."""
    world = await world_of(service)
    document = Document(world)
    for template in (templates_of(world, route)[0] for route in routes_of(world) if route.is_unsafe):
        route, request = template.route, request_of(template)
        schema = document.response_schema(route)
        secrets = SECRETS & set(schema.get("properties", {})) - NO_SECRETS.get(service, frozenset())
        assert bool(secrets) == bool(schema.get("x-shown-once")), f"{route.name}: derive its response from ShownOnce"
        request.headers["Idempotency-Key"] = "one"
        outcome = await send_as_owner(world, template, request)
        assert outcome.status < 300, f"{route.name}: {outcome.body}"
        values = [str(json.loads(outcome.body)[name]) for name in secrets]
        await world.sut.outbox.flush()
        for secret in (*values, *secrets_in(request, None)):
            # The longest part of an API key is its secret; any part of a token may be short by chance.
            longest = max(secret.split("_"), key=len)
            assert longest not in str(world.table.items), f"{route.name} stores a secret"
        if values and route.access == "guarded":
            world.mark()
            again = await send_as_owner(world, template, request, restore=False)
            assert (again.status, [value for value in values if value in again.body]) == (409, []), route.name
            effects = [key.pk for key in world.changed_keys() if "#RATE" not in key.pk]
            assert effects == [], f"{route.name} has a second effect"
