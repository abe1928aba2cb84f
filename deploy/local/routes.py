"""Routing of paths to services, and one OpenAPI document for all, from the services' own documents."""

import json
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
SCHEMA_PREFIX = "#/components/"


class RouteTable:
    """The routes of every service whose OpenAPI document is known. A service that is down keeps its routes."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._templates: list[tuple[tuple[str, ...], str]] = []

    def set(self, service: str, document: Document) -> None:
        """Take or replace a service's document."""
        self._documents[service] = document
        self._templates = [
            (_segments(path), name) for name, each in sorted(self._documents.items()) for path in each.get("paths", {})
        ]

    def match(self, path: str) -> str | None:
        """The service with the best template for a path: one that matches it whole, with literal segments before
        parameters. If none does, the only service whose templates begin like the path; it answers 404 or 405."""
        asked = _segments(path)
        depths = {(template, name): _matching_segments(template, asked) for template, name in self._templates}
        whole = [each for each, depth in depths.items() if len(each[0]) == len(asked) == depth]
        if whole:
            return max(whole, key=lambda each: [not _is_parameter(part) for part in each[0]])[1]
        deepest = max(depths.values(), default=0)
        owners = {name for (_, name), depth in depths.items() if depth == deepest > 0}
        return owners.pop() if len(owners) == 1 else None

    def merge_documents(self, title: str) -> Document:
        """One document with all paths. Components that services define differently get the service's name in front."""
        names = _component_names(self._documents)
        paths: Document = {}
        components: Document = {}
        for service, document in sorted(self._documents.items()):
            renamed = _rename_components(document, names[service])
            for path, item in renamed.get("paths", {}).items():
                operations = paths.setdefault(path, {})
                for method, operation in item.items():
                    tags = {}
                    if isinstance(operation, dict) and "responses" in operation:
                        name = operation.get("operationId", method)
                        tags = {"tags": [service], **operation, "operationId": f"{service}_{name}"}
                    operations[method] = tags or operation
            for kind, by_name in renamed.get("components", {}).items():
                components.setdefault(kind, {}).update(
                    {names[service].get((kind, name), name): each for name, each in by_name.items()}
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


def _matching_segments(template: tuple[str, ...], asked: tuple[str, ...]) -> int:
    """How many leading segments match."""
    count = 0
    for part, given in zip(template, asked, strict=False):
        if not _is_parameter(part) and part != given:
            break
        count += 1
    return count


def _component_names(documents: dict[str, Document]) -> dict[str, dict[tuple[str, str], str]]:
    """The new names of components that need one, per service, by kind and name."""
    seen: dict[tuple[str, str], set[str]] = {}
    for _, kind, name, component in _components(documents):
        seen.setdefault((kind, name), set()).add(json.dumps(component, sort_keys=True))
    renames: dict[str, dict[tuple[str, str], str]] = {service: {} for service in documents}
    for service, kind, name, _ in _components(documents):
        if len(seen[kind, name]) > 1:
            renames[service][kind, name] = f"{service}_{name}"
    return renames


def _components(documents: dict[str, Document]) -> Iterator[tuple[str, str, str, Any]]:
    for service, document in documents.items():
        for kind, by_name in document.get("components", {}).items():
            for name, component in by_name.items():
                yield service, kind, name, component


def _rename_components(value: Any, names: dict[tuple[str, str], str]) -> Any:
    """The document with all references to renamed components changed."""
    if isinstance(value, list):
        return [_rename_components(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    renamed = {key: _rename_components(each, names) for key, each in value.items()}
    reference = renamed.get("$ref")
    if isinstance(reference, str) and reference.startswith(SCHEMA_PREFIX):
        kind, _, name = reference.removeprefix(SCHEMA_PREFIX).partition("/")
        renamed["$ref"] = f"{SCHEMA_PREFIX}{kind}/{names.get((kind, name), name)}"
    return renamed
