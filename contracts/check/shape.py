"""JSON Schemas, seen as the few shapes that pydantic writes: references followed, unions flat, null set apart."""

import json
from dataclasses import dataclass
from typing import Any

from contracts.event import ContractError

Schema = dict[str, Any]
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array"}


@dataclass(frozen=True)
class Shapes:
    """What a value may be: one schema with one `type` each (no type: anything), and whether it may be null."""

    variants: tuple[Schema, ...]
    nullable: bool

    @property
    def free(self) -> bool:
        """Any value at all is allowed."""
        return any("type" not in one for one in self.variants)


def shapes(schema: Schema, root: Schema) -> Shapes:
    """The variants of `schema`, whose references point into `root`. Raises ContractError for one that leads nowhere."""
    flat = _flat(schema, root)
    return Shapes(
        variants=tuple(one for one in flat if one.get("type") != "null"),
        nullable=any(one.get("type") == "null" for one in flat),
    )


def resolved(schema: Schema, root: Schema) -> Schema:
    """`schema` with its reference followed and its `allOf` merged."""
    seen: set[str] = set()
    while "$ref" in schema:
        pointer = schema["$ref"]
        if pointer in seen:
            raise ContractError(f"{_named(root)}: {pointer} refers to itself; mend the reference")
        seen.add(pointer)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**_target(pointer, root), **beside}
    for part in schema.get("allOf", ()):
        merged = {**schema, **resolved(part, root)}
        merged["properties"] = {**schema.get("properties", {}), **merged.get("properties", {})}
        merged["required"] = sorted({*schema.get("required", ()), *merged.get("required", ())})
        schema = {key: value for key, value in merged.items() if key != "allOf" and value not in ({}, [])}
    return schema


def is_map(schema: Schema) -> bool:
    """An object whose keys are data (`dict[str, int]`), not one whose keys are fields."""
    open_ended = isinstance(schema.get("additionalProperties"), dict) or schema.get("additionalProperties") is True
    return not schema.get("properties") and (open_ended or bool(schema.get("patternProperties")))


def map_parts(schema: Schema) -> tuple[Schema, Schema]:
    """What the keys and what the values of a map may be."""
    patterns: dict[str, Schema] = schema.get("patternProperties", {})
    if len(patterns) == 1 and not isinstance(schema.get("additionalProperties"), dict):
        [(pattern, value)] = patterns.items()
        return {"type": "string", "pattern": pattern}, value
    extra = schema.get("additionalProperties")
    keys = {"type": "string", **schema.get("propertyNames", {})}
    return keys, extra if isinstance(extra, dict) else {}


def values_of(schema: Schema) -> dict[str, Any] | None:
    """The only values there are, by their JSON text; None where the values are open."""
    if "const" in schema:
        return {json.dumps(schema["const"]): schema["const"]}
    return {json.dumps(value): value for value in schema["enum"]} if "enum" in schema else None


def _flat(schema: Schema | bool, root: Schema) -> list[Schema]:
    if isinstance(schema, bool):
        return [{}] if schema else []
    schema = resolved(schema, root)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return [one for part in schema[union] for one in _flat(part, root)]
    kind = schema.get("type")
    if isinstance(kind, list):
        return [one for each in kind for one in _flat({**schema, "type": each}, root)]
    if kind is None:
        return _typed(schema)
    values = values_of(schema)
    if values and "null" in values and kind != "null":
        rest = [value for value in values.values() if value is not None]
        return [{"type": "null"}, {**schema, "enum": rest}]
    return [schema]


def _typed(schema: Schema) -> list[Schema]:
    """A schema that names no type, told by what else it says."""
    values = values_of(schema)
    if values is not None:
        kinds: dict[str, list[Any]] = {}
        for value in values.values():
            kinds.setdefault(_TYPES.get(type(value), "object"), []).append(value)
        bare = {key: value for key, value in schema.items() if key not in ("const", "enum")}
        return [{**bare, "type": kind, "enum": found} for kind, found in kinds.items()]
    if "properties" in schema or "patternProperties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return [{**schema, "type": "object"}]
    if "items" in schema or "prefixItems" in schema:
        return [{**schema, "type": "array"}]
    return [schema]


def _target(pointer: str, root: Schema) -> Schema:
    found: Any = root
    for part in pointer.removeprefix("#/").split("/"):
        part = part.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
        if not isinstance(found, dict) or part not in found:
            raise ContractError(f"{_named(root)}: {pointer} leads nowhere; run `make generate`")
        found = found[part]
    if not isinstance(found, dict):
        raise ContractError(f"{_named(root)}: {pointer} is no schema; run `make generate`")
    return found


def _named(root: Schema) -> str:
    return str(root.get("x-type") or root.get("title") or "schema")
