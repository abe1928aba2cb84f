"""Sample values that are made from JSON schemas, with a slot for every id in them."""

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
"""Prefix of an id -> name of its pair, where only the pattern of the id says what it is."""
FORMATS = {"date": "2027-01-31", "date-time": "2027-01-31T09:00:00Z"}

EVERYWHERE: Mapping[str, Any] = {"scopes": "tasks.task.create"}
"""Values that every service reads."""


class Uncovered(Exception):
    """A target that no attack covers. The message says what to add, and where."""


@dataclass(frozen=True)
class Slot:
    """A place in a request or an event that takes an id: its label, and the ids to choose from."""

    label: str
    pair: Pair


Choose = Callable[[Slot], str]


def victims(slot: Slot) -> str:
    """Choose the victim's id."""
    return slot.pair.victim


def own(slot: Slot) -> str:
    """Choose the attacker's own id."""
    return slot.pair.own


def absent(slot: Slot) -> str:
    """Choose an id that does not exist."""
    return slot.pair.absent


def only(label: str, choice: Choose, others: Choose = own) -> Choose:
    """Choose by `choice` in one slot, and by `others` in all others."""
    return lambda slot: (choice if slot.label == label else others)(slot)


class Sampler:
    """Makes values for one operation or event, whose name is `of`.

    `words` is used for texts for which the world has no value; without it they are Uncovered. With `whole`, optional
    properties are included.
    """

    def __init__(
        self, world: World, of: str, schemas: Mapping[str, Any], words: str | None = None, *, whole: bool = False
    ) -> None:
        self._world, self._of, self._schemas, self._words, self._whole = world, of, schemas, words, whole

    def pair(self, name: str, schema: Mapping[str, Any]) -> Pair | None:
        """The ids for a parameter or property; None if it is not an id."""
        pairs, kind = self._world.pairs, KINDS.get(_prefix(self.resolve(schema)), "")
        names = (f"{self._of}.{name}", name, kind)
        pair = next((pairs[each] for each in names if each in pairs), None)
        if pair is None and self._words is not None and (prefix := _prefix(self.resolve(schema))):
            return Pair(f"{prefix}_theirs1", f"{prefix}_own1")  # of a kind that this service does not store
        return pair

    def value(self, name: str, schema: Mapping[str, Any], label: str) -> Any:
        """A value for a schema. Raises Uncovered for one that must be added to the seed."""
        schema = self.resolve(schema)
        if schema.get("type") not in {"array", "object"} and (pair := self.pair(name, schema)) is not None:
            return Slot(label, pair)
        seeded = self._world.values.get(name)  # names are shared by requests and events: it may be for another schema
        if name in self._world.values and ("enum" not in schema or seeded in schema["enum"]):
            return seeded
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

    def known_value(self, name: str) -> Any:
        """The seeded value of a name. Raises Uncovered if there is none."""
        try:
            return {**EVERYWHERE, **self._world.values}[name]
        except KeyError:
            raise self.gap(f"a value for {name}") from None

    def gap(self, what: str) -> Uncovered:
        return Uncovered(f"{self._of}: add {what} to verification/isolation/seeds/{self._world.name}.py")

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" in schema:
            return self.resolve(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self.resolve(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        return schema

    def _object(self, schema: Mapping[str, Any], label: str) -> dict[Any, Any]:
        if "propertyNames" in schema:
            key = self.value("", schema["propertyNames"], f"{label}.key")
            return {key: self.value("", schema["additionalProperties"], f"{label}.value")}
        properties = schema.get("properties", {})

        def is_id(name: str) -> bool:
            described = self.resolve(properties[name])
            return self.pair(name, described.get("items", described)) is not None

        required = schema.get("required", ())
        included = [each for each in properties if self._whole or each in required or is_id(each)]
        return {each: self.value(each, properties[each], f"{label}.{each}") for each in included}

    def _scalar(self, name: str, schema: Mapping[str, Any]) -> Any:
        match schema.get("type"):
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        if self._words is not None and "pattern" not in schema:
            return self._words
        return self.known_value(name)


def slots_in(value: Any) -> Iterator[Slot]:
    """Every slot in a value."""
    match value:
        case Slot():
            yield value
        case Mapping():
            for name, inner in value.items():
                yield from slots_in(name)
                yield from slots_in(inner)
        case list():
            for inner in value:
                yield from slots_in(inner)


def fill(value: Any, choose: Choose) -> Any:
    """A value with an id in each of its slots."""
    match value:
        case Slot():
            return choose(value)
        case Mapping():
            return {fill(name, choose): fill(inner, choose) for name, inner in value.items()}
        case list():
            return [fill(inner, choose) for inner in value]
        case _:
            return value


def names_of(slots: list[Slot]) -> dict[str, str]:
    """Names by which the victim's ids and ids that do not exist are replaced, so that they compare as equal."""
    names = {}
    for slot in slots:
        names[slot.pair.victim] = names[slot.pair.absent] = f"<{slot.label}>"
    return names


def _prefix(schema: Mapping[str, Any]) -> str:
    """The prefix in the pattern of an id, such as `task`; empty for other schemas."""
    match = re.match(r"\^([a-z]+)_\[", str(schema.get("pattern", "")))
    return match[1] if match else ""
