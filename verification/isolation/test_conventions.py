"""What all routes have in common, tried on every one that the OpenAPI documents name: a new route is tried as well."""

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
"""What an answer may show once, by name, and a kept answer must not hold."""
NO_SECRETS = {"tasks": frozenset({"key"})}
"""A project's key is part of its tasks' names."""
OFFSET, INSTANT, NO_OFFSET = "2027-01-31T09:00:00+05:30", "2027-01-31T03:30:00", "2027-01-31T09:00:00"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"\\]*")
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Documented:
    """A service's document, its references followed."""

    def __init__(self, world: World) -> None:
        self.world, self._document = world, world.app.openapi()

    def resolved(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self.resolved(self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self.resolved(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        return schema

    def body(self, route: Route) -> Schema:
        content = route.operation.get("requestBody", {}).get("content", {})
        return self.resolved(content[JSON]["schema"]) if JSON in content else {}

    def shown(self, route: Route) -> Schema:
        """What the route answers with when all is well."""
        found = next(answer for status, answer in route.operation["responses"].items() if status.startswith("2"))
        return self.resolved(found.get("content", {}).get(JSON, {}).get("schema", {}))

    def leaves(self, schema: Schema, at: Path = ()) -> Iterator[tuple[Path, Schema]]:
        """The fields of an object and of the objects in it."""
        for name, described in self.resolved(schema).get("properties", {}).items():
            if "properties" in self.resolved(described):
                yield from self.leaves(described, (*at, name))
            else:
                yield (*at, name), described


async def asked(world: World, template: Template, request: Request, *, restored: bool = True) -> Outcome:
    """By whom it belongs to, in the state that was seeded."""
    if restored:
        world.restore()
    access = template.route.access
    holder = world.holders.get(template.route.id, world.vera)
    claims = STAFF.staff_claims() if access == "staff" else holder.claims(world.victim_org)
    return await world.send(request, None if access == "public" else world.token(claims))


def request_of(template: Template) -> Request:
    return template.filled(own if template.route.access == "public" else victims)


def nested(path: Path, value: Any) -> dict[str, Any]:
    return {path[0]: nested(path[1:], value) if path[1:] else value}


def at(path: Path, value: Any) -> Any:
    for name in path:
        value = value[name]
    return value


def takes_null(schema: Schema) -> bool:
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


# --- partial updates


async def patches() -> list[tuple[Documented, Template]]:
    found: list[tuple[Documented, Template]] = []
    for service in service_names():
        world = await world_of(service)
        routes = [each for each in routes_of(world) if each.method == "patch"]
        found += [(Documented(world), templates_of(world, route)[0]) for route in routes]
    return found


async def test_every_patch_is_a_merge_patch() -> None:
    found = await patches()
    for documented, template in found:
        await _is_merge_patch(documented, template)
    assert found


async def _is_merge_patch(documented: Documented, template: Template) -> None:
    world, name = documented.world, template.route.name
    whole = template.filled(victims)

    async def patched(body: Any, content_type: str = MERGE_PATCH) -> Outcome:
        request = replace(whole, body=json.dumps(body), headers={"Content-Type": content_type})
        return await asked(world, template, request)

    content = template.route.operation["requestBody"]["content"]
    assert content[MERGE_PATCH] == content[JSON], name
    nothing = await patched({})
    assert nothing.status == 200, (name, nothing.body)
    before = json.loads(nothing.body)
    assert before["version"] == json.loads((await patched({})).body)["version"], f"{name}: {{}} changes something"
    as_json, as_patch = await patched(whole.body, JSON), await patched(whole.body)
    assert (as_json.status, as_json.body) == (200, as_patch.body), name
    leaves = dict(documented.leaves(documented.body(template.route)))
    for path, schema in leaves.items():
        where = f"{name}: {'.'.join(path)}"
        after = json.loads((await patched(nested(path, at(path, whole.body)))).body)
        assert at(path, after) == at(path, whole.body), where
        assert at(path, after) != at(path, before), f"{where}: seed another value"
        others = {other: at(other, after) for other in leaves if other != path}
        assert others == {other: at(other, before) for other in others}, f"{where} changes another field"
        assert (await patched(nested(path, None))).status == (200 if takes_null(schema) else 422), where
        beside = nested((*path[:-1], "unknown"), 1)
        refused = await patched(beside)
        assert refused.status == 422, where
        assert "unknown" in refused.body, where


# --- times


def times_in(documented: Documented, template: Template) -> Iterator[tuple[str, Request, Request, Request]]:
    """Each time that a request may carry: its name, and the request with an offset, without one, and beyond."""
    request, route = request_of(template), template.route
    values = (OFFSET, NO_OFFSET, "0001-01-01T00:00:00+05:30")
    for each in route.operation.get("parameters", ()):
        if documented.resolved(each["schema"]).get("format") == "date-time":
            yield each["name"], *(replace(request, query={**request.query, each["name"]: one}) for one in values)
    for path, schema in documented.leaves(documented.body(route)):
        if documented.resolved(schema).get("format") == "date-time":
            bodies = (_with(request.body, path, one) for one in values)
            yield ".".join(path), *(replace(request, body=body) for body in bodies)  # type: ignore[misc]


def _with(body: Any, path: Path, value: str) -> Any:
    changed = deepcopy(body)
    at(path[:-1], changed)[path[-1]] = value
    return changed


@pytest.mark.parametrize("service", service_names())
async def test_times_come_with_an_offset_and_go_in_utc(service: str) -> None:
    world = await world_of(service)
    documented = Documented(world)
    for template in (each for route in routes_of(world) for each in templates_of(world, route)):
        name = template.route.name
        for found in TIME.findall((await asked(world, template, request_of(template))).body):
            assert UTC_TIME.fullmatch(found), f"{name} answers {found}"
        for field, good, without_offset, beyond in times_in(documented, template):
            outcome = await asked(world, template, good)
            assert outcome.status < 300, f"{name}: {field}: {outcome.body}"
            assert OFFSET not in outcome.body, f"{name} answers {field} as it came"
            if good.body is not None and field in documented.shown(template.route).get("properties", {}):
                assert json.loads(outcome.body)[field] == f"{INSTANT}Z", f"{name}: {field}"
            for refused in (without_offset, beyond):
                assert (await asked(world, template, refused)).status == 422, f"{name}: {field}"


def test_the_times_of_these_tests_are_one() -> None:
    assert datetime.fromisoformat(OFFSET) == datetime.fromisoformat(f"{INSTANT}+00:00")


# --- lists


def filters_of(route: Route) -> dict[str, Schema]:
    found = {each["name"]: each["schema"] for each in route.operation.get("parameters", ()) if each["in"] == "query"}
    return {name: schema for name, schema in found.items() if name not in {"limit", "cursor"}}


def is_named_by_the_rule(documented: Documented, name: str, schema: Schema, item: Schema) -> bool:
    """After the field that it compares: `kind`, `resource_id` for `resource.id`, `assignee_id` for any of
    `assignee_ids`; a span of time by `since` and `until`; what is or is not so, by the word for it."""
    kind = documented.resolved(schema)
    if name in {"since", "until"}:
        return kind.get("format") == "date-time"
    fields = {"_".join(path) for path, _ in documented.leaves(item)}
    return kind.get("type") == "boolean" or name in fields or f"{name}s" in fields


@pytest.mark.parametrize("service", service_names())
async def test_lists_are_alike(service: str) -> None:
    world = await world_of(service)
    documented = Documented(world)
    for route in (each for each in routes_of(world) if each.method == "get"):
        shown = documented.shown(route)
        names = {each["name"] for each in route.operation.get("parameters", ()) if each["in"] == "query"}
        if "items" not in shown.get("properties", {}):
            assert not names, f"{route.name} is no list and has query parameters"
            assert shown.get("type") != "array", f"{route.name}: answer with a Page"
            continue
        assert set(shown["properties"]) == {"items", "next"}, route.name
        assert names >= {"limit", "cursor"}, route.name
        item = documented.resolved(shown["properties"]["items"]["items"])
        for name, schema in filters_of(route).items():
            assert is_named_by_the_rule(documented, name, schema, item), f"{route.name}: {name}"


@pytest.mark.parametrize("service", service_names())
async def test_no_route_takes_a_query_parameter_that_it_does_not_know(service: str) -> None:
    world = await world_of(service)
    for template in (templates_of(world, route)[0] for route in routes_of(world)):
        request = request_of(template)
        outcome = await asked(world, template, replace(request, query={**request.query, "colour": "red"}))
        assert outcome.status == 422, f"{template.route.name}: {outcome.status} {outcome.body}"
        assert '"query.colour"' in outcome.body, template.route.name


# --- what is secret


@pytest.mark.parametrize("service", service_names())
async def test_a_secret_is_in_no_item_though_the_request_may_be_repeated(service: str) -> None:
    """Neither what an answer shows once, nor what a request brings. A repetition has no effect and shows no secret."""
    world = await world_of(service)
    documented = Documented(world)
    for template in (templates_of(world, route)[0] for route in routes_of(world) if route.is_unsafe):
        route, request = template.route, request_of(template)
        shown = documented.shown(route)
        secrets = SECRETS & set(shown.get("properties", {})) - NO_SECRETS.get(service, frozenset())
        assert bool(secrets) == bool(shown.get("x-shown-once")), f"{route.name}: derive its response from ShownOnce"
        request.headers["Idempotency-Key"] = "one"
        outcome = await asked(world, template, request)
        assert outcome.status < 300, f"{route.name}: {outcome.body}"
        told = [str(json.loads(outcome.body)[name]) for name in secrets]
        await world.sut.outbox.flush()
        for secret in (*told, *secrets_in(request, None)):
            # What distinguishes an API key is its longest part; any part of a token may be short by chance.
            telling = max(secret.split("_"), key=len)
            assert telling not in str(world.table.items), f"{route.name} keeps a secret"
        if told and route.access == "guarded":
            world.mark()
            again = await asked(world, template, request, restored=False)
            assert (again.status, [name for name in told if name in again.body]) == (409, []), route.name
            second = [key.pk for key in world.changed_keys() if "#RATE" not in key.pk]
            assert second == [], f"{route.name} has a second effect"
