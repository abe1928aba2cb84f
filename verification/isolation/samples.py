"""Values made from JSON schemas, with places in them that can name somebody else's."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verification.isolation.world import Pair, World

KINDS = {
    "org": "org_id",
    "user": "user_id",
    "proj": "project_id",
    "task": "task_id",
    "imp": "import_id",
    "inv": "invitation_id",
    "file": "file_id",
    "key": "key_id",
}
"""What an id of a kind is called where only its pattern says what it is."""
FORMATS = {"date": "2027-01-31", "date-time": "2027-01-31T09:00:00Z"}

EVERYWHERE: Mapping[str, Any] = {"scopes": "tasks.task.create"}
"""Values of what every service reads."""


class Uncovered(Exception):
    """Something that no attack reaches. The message says what to add, and where."""


@dataclass(frozen=True)
class Place:
    label: str
    pair: Pair


Choose = Callable[[Place], str]


def victims(place: Place) -> str:
    return place.pair.victim


def own(place: Place) -> str:
    return place.pair.own


def absent(place: Place) -> str:
    return place.pair.absent


def only(label: str, there: Choose, elsewhere: Choose = own) -> Choose:
    """`there` in one place and `elsewhere` in all others."""
    return lambda place: (there if place.label == label else elsewhere)(place)


class Sampler:
    """Makes values of one operation or event, whose name is `of`. `words` stands for texts that the world has no
    value for; without it they are Uncovered. `whole`: with all that may be left out."""

    def __init__(
        self, world: World, of: str, schemas: Mapping[str, Any], words: str | None = None, *, whole: bool = False
    ) -> None:
        self._world, self._of, self._schemas, self._words, self._whole = world, of, schemas, words, whole

    def pair(self, name: str, schema: Mapping[str, Any]) -> Pair | None:
        pairs, kind = self._world.pairs, KINDS.get(_prefix(self.resolved(schema)), "")
        names = (f"{self._of}.{name}", name, kind)
        found = next((pairs[each] for each in names if each in pairs), None)
        if found is None and self._words is not None and (prefix := _prefix(self.resolved(schema))):
            return Pair(f"{prefix}_theirs1", f"{prefix}_own1")  # of a kind that this service keeps nothing of
        return found

    def value(self, name: str, schema: Mapping[str, Any], label: str) -> Any:
        """Raises Uncovered for what the world's seed must say first."""
        schema = self.resolved(schema)
        if schema.get("type") not in {"array", "object"} and (pair := self.pair(name, schema)) is not None:
            return Place(label, pair)
        if name in self._world.values and self._fits(self._world.values[name], schema):
            return self._world.values[name]
        match schema:
            case {"enum": [first, *_]} | {"const": first}:
                return first
            case {"type": "object"}:
                return self._object(schema, label)
            case {"type": "array", "items": items}:
                return [self.value(name, items, f"{label}.0")]
            case {"format": ("date" | "date-time") as shape}:
                return FORMATS[shape]
        return self._scalar(name or label, schema)

    def known(self, name: str) -> Any:
        try:
            return {**EVERYWHERE, **self._world.values}[name]
        except KeyError:
            raise self.gap(f"a value for {name}") from None

    def gap(self, what: str) -> Uncovered:
        return Uncovered(f"{self._of}: add {what} to verification/isolation/seeds/{self._world.name}.py")

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" in schema:
            return self.resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self.resolved(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        return schema

    def _object(self, schema: Mapping[str, Any], label: str) -> dict[Any, Any]:
        if "propertyNames" in schema:
            key = self.value("", schema["propertyNames"], f"{label}.key")
            return {key: self.value("", schema["additionalProperties"], f"{label}.value")}
        properties = schema.get("properties", {})
        wanted = [
            each
            for each in properties
            if self._whole or each in schema.get("required", ()) or self._names(each, properties)
        ]
        return {each: self.value(each, properties[each], f"{label}.{each}") for each in wanted}

    def _names(self, name: str, properties: Mapping[str, Any]) -> bool:
        """Whether an optional property can name something of somebody."""
        resolved = self.resolved(properties[name])
        return self.pair(name, resolved.get("items", resolved)) is not None

    def _scalar(self, name: str, schema: Mapping[str, Any]) -> Any:
        match schema.get("type"):
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        if self._words is not None and "pattern" not in schema:
            return self._words
        return self.known(name)

    def _fits(self, value: Any, schema: Mapping[str, Any]) -> bool:
        """Whether a value of that name is meant for this schema: names are shared by requests and events."""
        return "enum" not in schema or value in schema["enum"]


def places(value: Any) -> Iterator[Place]:
    match value:
        case Place():
            yield value
        case Mapping():
            for name, inner in value.items():
                yield from places(name)
                yield from places(inner)
        case list():
            for inner in value:
                yield from places(inner)


def filled(value: Any, choose: Choose) -> Any:
    match value:
        case Place():
            return choose(value)
        case Mapping():
            return {filled(name, choose): filled(inner, choose) for name, inner in value.items()}
        case list():
            return [filled(inner, choose) for inner in value]
        case _:
            return value


def names_of(found: list[Place]) -> dict[str, str]:
    """So that the victim's values and those of nobody look the same."""
    names = {}
    for place in found:
        names[place.pair.victim] = names[place.pair.absent] = f"<{place.label}>"
    return names


def _prefix(schema: Mapping[str, Any]) -> str:
    """`task` of the pattern of a task's id."""
    found = re.match(r"\^([a-z]+)_\[", str(schema.get("pattern", "")))
    return found[1] if found else ""
