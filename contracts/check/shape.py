"""Shapes: JSON Schemas reduced to what pydantic writes, with references resolved, unions flat and null kept apart."""

import json
from dataclasses import dataclass
from typing import Any

from contracts.event import ContractError

Schema = dict[str, Any]
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array"}


@dataclass(frozen=True)
class Shapes:
    """The allowed shapes of a value: schemas with one `type` each (no type: anything), and whether it may be null."""

    variants: tuple[Schema, ...]
    nullable: bool

    @property
    def free(self) -> bool:
        """True if any value is allowed."""
        return any("type" not in variant for variant in self.variants)


def shapes(schema: Schema, root: Schema) -> Shapes:
    """The variants of `schema`, whose references point into `root`. Raises ContractError for a dangling one."""
    flat = _flatten(schema, root)
    return Shapes(
        variants=tuple(variant for variant in flat if variant.get("type") != "null"),
        nullable=any(variant.get("type") == "null" for variant in flat),
    )


def resolve(schema: Schema, root: Schema) -> Schema:
    """`schema` with its reference followed and its `allOf` merged."""
    seen: set[str] = set()
    while "$ref" in schema:
        pointer = schema["$ref"]
        if pointer in seen:
            raise ContractError(f"{_title(root)}: {pointer} refers to itself; fix the reference")
        seen.add(pointer)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**_target(pointer, root), **beside}
    for part in schema.get("allOf", ()):
        merged = {**schema, **resolve(part, root)}
        merged["properties"] = {**schema.get("properties", {}), **merged.get("properties", {})}
        merged["required"] = sorted({*schema.get("required", ()), *merged.get("required", ())})
        schema = {key: value for key, value in merged.items() if key != "allOf" and value not in ({}, [])}
    return schema


def is_map(schema: Schema) -> bool:
    """Whether the schema is an object whose keys are data (`dict[str, int]`) and not fields."""
    open_ended = isinstance(schema.get("additionalProperties"), dict) or schema.get("additionalProperties") is True
    return not schema.get("properties") and (open_ended or bool(schema.get("patternProperties")))


def map_parts(schema: Schema) -> tuple[Schema, Schema]:
    """The schemas of a map's keys and of its values."""
    patterns: dict[str, Schema] = schema.get("patternProperties", {})
    if len(patterns) == 1 and not isinstance(schema.get("additionalProperties"), dict):
        [(pattern, value)] = patterns.items()
        return {"type": "string", "pattern": pattern}, value
    extra = schema.get("additionalProperties")
    keys = {"type": "string", **schema.get("propertyNames", {})}
    return keys, extra if isinstance(extra, dict) else {}


def values_of(schema: Schema) -> dict[str, Any] | None:
    """The allowed values by their JSON text; None if they are not listed."""
    if "const" in schema:
        return {json.dumps(schema["const"]): schema["const"]}
    return {json.dumps(value): value for value in schema["enum"]} if "enum" in schema else None


def _flatten(schema: Schema | bool, root: Schema) -> list[Schema]:
    if isinstance(schema, bool):
        return [{}] if schema else []
    schema = resolve(schema, root)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return [variant for part in schema[union] for variant in _flatten(part, root)]
    kind = schema.get("type")
    if isinstance(kind, list):
        return [variant for each in kind for variant in _flatten({**schema, "type": each}, root)]
    if kind is None:
        return _infer_types(schema)
    values = values_of(schema)
    if values and "null" in values and kind != "null":
        rest = [value for value in values.values() if value is not None]
        return [{"type": "null"}, {**schema, "enum": rest}]
    return [schema]


def _infer_types(schema: Schema) -> list[Schema]:
    """The variants of a schema without a type, inferred from its other keywords."""
    values = values_of(schema)
    if values is not None:
        kinds: dict[str, list[Any]] = {}
        for value in values.values():
            kinds.setdefault(_TYPES.get(type(value), "object"), []).append(value)
        bare = {key: value for key, value in schema.items() if key not in ("const", "enum")}
        return [{**bare, "type": kind, "enum": members} for kind, members in kinds.items()]
    if "properties" in schema or "patternProperties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return [{**schema, "type": "object"}]
    if "items" in schema or "prefixItems" in schema:
        return [{**schema, "type": "array"}]
    return [schema]


def _target(pointer: str, root: Schema) -> Schema:
    target: Any = root
    for part in pointer.removeprefix("#/").split("/"):
        part = part.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
        if not isinstance(target, dict) or part not in target:
            raise ContractError(f"{_title(root)}: {pointer} does not exist; run `make generate`")
        target = target[part]
    if not isinstance(target, dict):
        raise ContractError(f"{_title(root)}: {pointer} is not a schema; run `make generate`")
    return target


def _title(root: Schema) -> str:
    return str(root.get("x-type") or root.get("title") or "schema")
