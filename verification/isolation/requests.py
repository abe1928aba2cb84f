"""Requests that are made from a service's OpenAPI document, with a slot for every id in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from verification.isolation.samples import Choose, Sampler, Slot, fill, slots_in
from verification.isolation.world import Request, World

UNSAFE = frozenset({"post", "put", "patch", "delete"})
JSON = "application/json"


@dataclass(frozen=True)
class Route:
    """An operation of the OpenAPI document."""

    method: str
    path: str
    operation: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.operation["operationId"])

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def access(self) -> str:
        return str(self.operation.get("x-access", "guarded"))

    @property
    def while_suspended(self) -> bool:
        return bool(self.operation.get("x-while-suspended"))

    @property
    def is_unsafe(self) -> bool:
        return self.method in UNSAFE

    @property
    def has_cursor(self) -> bool:
        return any(each["name"] == "cursor" for each in self.operation.get("parameters", ()))


@dataclass(frozen=True)
class Template:
    """A request with open slots."""

    route: Route
    query: Mapping[str, Any]
    parts: Mapping[str, Any]
    body: Any
    content_type: str

    @property
    def slots(self) -> list[Slot]:
        return list(slots_in([self.parts, self.query, self.body]))

    def fill(self, choose: Choose, **query: str) -> Request:
        """The request with an id in each slot, and with more query parameters."""
        path = self.route.path
        for name, slot in self.parts.items():
            path = path.replace(f"{{{name}}}", quote(fill(slot, choose), safe=""))
        values = {name: fill(value, choose) for name, value in self.query.items()} | query
        headers = {} if self.body is None else {"Content-Type": self.content_type}
        return Request(self.route.method.upper(), path, values, fill(self.body, choose), headers)


def routes_of(world: World) -> list[Route]:
    """Every operation of the service, whoever may call it."""
    paths = world.app.openapi()["paths"]
    return [Route(method, path, operation) for path, each in paths.items() for method, operation in each.items()]


def templates_of(world: World, route: Route) -> list[Template]:
    """Templates of a route: one with required values only, and one more for each optional id.

    A patch has all fields that it may change. Raises Uncovered for a value that is missing in the seed.
    """
    schemas = world.app.openapi().get("components", {}).get("schemas", {})
    sampler = Sampler(world, route.id, schemas, whole=route.method == "patch")
    parts: dict[str, Any] = {}
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for parameter in route.operation.get("parameters", ()):
        name, schema = parameter["name"], parameter["schema"]
        pair = sampler.pair(name, schema)
        if parameter["in"] == "path":
            if pair is None:
                raise sampler.gap(f"a pair for {name} of {route.name}")
            parts[name] = Slot(f"path.{name}", pair)
        elif parameter["in"] == "query" and parameter["required"]:
            required[name] = sampler.value(name, schema, f"query.{name}")
        elif parameter["in"] == "query" and name not in {"limit", "cursor"} and pair is not None:
            optional[name] = Slot(f"query.{name}", pair)
    content_type, body = _body(sampler, route)
    queries = [required, *({**required, name: slot} for name, slot in optional.items())]
    return [Template(route, query, parts, body, content_type) for query in queries]


def _body(sampler: Sampler, route: Route) -> tuple[str, Any]:
    content = route.operation.get("requestBody", {}).get("content", {})
    if not content:
        return JSON, None
    if JSON in content:
        return JSON, sampler.value("", content[JSON]["schema"], "body")
    [kind] = content
    return kind, sampler.known_value(kind)
