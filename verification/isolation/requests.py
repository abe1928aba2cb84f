"""Requests made from a service's OpenAPI document, with every place in them that can name somebody else's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from verification.isolation.samples import Choose, Place, Sampler, filled, places
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
    """A request with places still open."""

    route: Route
    query: Mapping[str, Any]
    parts: Mapping[str, Any]
    body: Any
    content_type: str

    @property
    def places(self) -> list[Place]:
        return list(places([self.parts, self.query, self.body]))

    def filled(self, choose: Choose, **query: str) -> Request:
        path = self.route.path
        for name, place in self.parts.items():
            path = path.replace(f"{{{name}}}", quote(filled(place, choose), safe=""))
        asked = {name: filled(value, choose) for name, value in self.query.items()} | query
        headers = {} if self.body is None else {"Content-Type": self.content_type}
        return Request(self.route.method.upper(), path, asked, filled(self.body, choose), headers)


def routes_of(world: World) -> list[Route]:
    """Every operation, whoever may call it."""
    paths = world.app.openapi()["paths"]
    return [Route(method, path, operation) for path, each in paths.items() for method, operation in each.items()]


def templates_of(world: World, route: Route) -> list[Template]:
    """With what is required, and once more with each id that may be left out; a patch with all that it may change.
    Raises Uncovered."""
    schemas = world.app.openapi().get("components", {}).get("schemas", {})
    sampler = Sampler(world, route.id, schemas, whole=route.method == "patch")
    parts: dict[str, Any] = {}
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for each in route.operation.get("parameters", ()):
        name, schema, pair = each["name"], each["schema"], sampler.pair(each["name"], each["schema"])
        if each["in"] == "path":
            if pair is None:
                raise sampler.gap(f"a pair for {name} of {route.name}")
            parts[name] = Place(f"path.{name}", pair)
        elif each["in"] == "query" and each["required"]:
            required[name] = sampler.value(name, schema, f"query.{name}")
        elif each["in"] == "query" and name not in {"limit", "cursor"} and pair is not None:
            optional[name] = Place(f"query.{name}", pair)
    content_type, body = _body(sampler, route)
    queries = [required, *({**required, name: place} for name, place in optional.items())]
    return [Template(route, query, parts, body, content_type) for query in queries]


def _body(sampler: Sampler, route: Route) -> tuple[str, Any]:
    content = route.operation.get("requestBody", {}).get("content", {})
    if not content:
        return JSON, None
    if JSON in content:
        return JSON, sampler.value("", content[JSON]["schema"], "body")
    [kind] = content
    return kind, sampler.known(kind)
