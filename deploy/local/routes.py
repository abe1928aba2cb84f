"""Which service answers which path, and one OpenAPI document for all, from the services' own documents."""

import json
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
SCHEMA_PREFIX = "#/components/"


class RouteTable:
    """The routes of every service that has shown its OpenAPI document. A service that is down keeps its routes."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._templates: list[tuple[tuple[str, ...], str]] = []

    def set(self, service: str, document: Document) -> None:
        """Take or replace a service's document."""
        self._documents[service] = document
        self._templates = [
            (_segments(path), name) for name, one in sorted(self._documents.items()) for path in one.get("paths", {})
        ]

    def match(self, path: str) -> str | None:
        """The service of the best template: one that fits whole, a literal segment before a parameter. Where none
        fits, the only service whose templates begin as the path does, so that its own 404 or 405 answers."""
        asked = _segments(path)
        whole = [(template, name) for template, name in self._templates if _fits(template, asked)]
        if whole:
            return max(whole, key=lambda found: [not _is_parameter(part) for part in found[0]])[1]
        depths = {(name, _shared(template, asked)) for template, name in self._templates}
        deepest = max((depth for _, depth in depths), default=0)
        owners = {name for name, depth in depths if depth == deepest > 0}
        return owners.pop() if len(owners) == 1 else None

    def merged(self, title: str) -> Document:
        """One document with all paths. A component that two services define differently carries its service's name."""
        names = _component_names(self._documents)
        paths: Document = {}
        components: Document = {}
        for service, document in sorted(self._documents.items()):
            renamed = _renamed(document, names[service])
            for path, item in renamed.get("paths", {}).items():
                paths.setdefault(path, {}).update(_tagged(item, service))
            for kind, found in renamed.get("components", {}).items():
                components.setdefault(kind, {}).update(
                    {names[service].get((kind, name), name): one for name, one in found.items()}
                )
        return {
            "openapi": "3.1.0",
            "info": {"title": title, "version": "1"},
            "paths": dict(sorted(paths.items())),
            "components": components,
            "tags": [{"name": service} for service in sorted(self._documents)],
        }


def _segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _is_parameter(part: str) -> bool:
    return part.startswith("{")


def _fits(template: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    return len(template) == len(asked) and _shared(template, asked) == len(asked)


def _shared(template: tuple[str, ...], asked: tuple[str, ...]) -> int:
    """How many leading segments agree."""
    count = 0
    for part, given in zip(template, asked, strict=False):
        if not _is_parameter(part) and part != given:
            break
        count += 1
    return count


def _tagged(item: Document, service: str) -> Document:
    return {
        method: {"tags": [service], **operation, "operationId": f"{service}_{operation.get('operationId', method)}"}
        if isinstance(operation, dict) and "responses" in operation
        else operation
        for method, operation in item.items()
    }


def _component_names(documents: dict[str, Document]) -> dict[str, dict[tuple[str, str], str]]:
    """For each service, the components that need another name, by kind and name."""
    seen: dict[tuple[str, str], set[str]] = {}
    for _, kind, name, one in _components(documents):
        seen.setdefault((kind, name), set()).add(json.dumps(one, sort_keys=True))
    renames: dict[str, dict[tuple[str, str], str]] = {service: {} for service in documents}
    for service, kind, name, _ in _components(documents):
        if len(seen[kind, name]) > 1:
            renames[service][kind, name] = f"{service}_{name}"
    return renames


def _components(documents: dict[str, Document]) -> Iterator[tuple[str, str, str, Any]]:
    for service, document in documents.items():
        for kind, found in document.get("components", {}).items():
            for name, one in found.items():
                yield service, kind, name, one


def _renamed(value: Any, names: dict[tuple[str, str], str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _reference(one, names) if key == "$ref" and isinstance(one, str) else _renamed(one, names)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    return value


def _reference(target: str, names: dict[tuple[str, str], str]) -> str:
    kind, _, name = target.removeprefix(SCHEMA_PREFIX).partition("/")
    return f"{SCHEMA_PREFIX}{kind}/{names.get((kind, name), name)}" if target.startswith(SCHEMA_PREFIX) else target
