"""Two versions of a schema, field by field; and a consumer's subset held against what a producer promises.

The second is the first with other eyes: what a consumer reads is taken as the old contract, what the producer's schema
says as the new one, and whatever would break "consumers of the old contract" is what this consumer would stumble over.
"""

from collections.abc import Iterator
from typing import Any

from contracts.check.bounds import kind_of, limit_changes, same, scalar_changes
from contracts.check.change import BREAKING, RISKY, SAFE, Change
from contracts.check.shape import Schema, Shapes, is_map, map_parts, resolved, shapes, values_of

SECRET = "x-secret"  # noqa: S105
_NO_DEFAULT = object()


def changes(old: Schema, new: Schema) -> list[Change]:
    """Every difference between two schemas of the same event type, each once."""
    found = list(_Comparison(old, new, reading=False).event())
    return list(dict.fromkeys(found))


def misfits(reader: Schema, producer: Schema, *, deployed: bool = False) -> list[Change]:
    """Why a consumer that reads `reader` may refuse, or miss, what `producer` promises. Empty: it takes every event.

    With `deployed` the producer's schema is an older one that may still be in use: fields that the reader can do
    without need not be in it.
    """
    found = _Comparison(reader, producer, reading=True, deployed=deployed).event()
    return list(dict.fromkeys(one for one in found if one.consumers is BREAKING))


def fields(schema: Schema) -> dict[str, Schema]:
    """Every field of an event by its path, nested ones (`items[].sku`) included."""
    found: dict[str, Schema] = {}
    _collect(schema, schema, "", found, ())
    return found


def _collect(schema: Schema, root: Schema, path: str, found: dict[str, Schema], above: tuple[Any, ...]) -> None:
    for one in shapes(schema, root).variants:
        mark = one.get("title"), tuple(one.get("properties", ()))
        if mark in above and one.get("properties"):
            continue
        if one.get("type") == "array":
            for part in [*one.get("prefixItems", ()), one.get("items", {})]:
                if isinstance(part, dict):
                    _collect(part, root, f"{path}[]", found, above)
        elif is_map(one):
            _collect(map_parts(one)[1], root, f"{path}{{}}", found, above)
        for name, field in one.get("properties", {}).items():
            below = f"{path}.{name}" if path else name
            found[below] = field
            _collect(field, root, below, found, (*above, mark))


class _Comparison:
    def __init__(self, old: Schema, new: Schema, *, reading: bool, deployed: bool = False) -> None:
        self._old, self._new, self._reading, self._deployed = old, new, reading, deployed
        self._open: list[tuple[Any, Any]] = []

    def event(self) -> Iterator[Change]:
        if not self._reading:
            if not same(self._old.get("x-subject"), self._new.get("x-subject")):
                what = f"subject is {self._new.get('x-subject')}, was {self._old.get('x-subject')}: another aggregate"
                yield Change("", "meaning", what, BREAKING, BREAKING)
            yield from _docs(self._old, self._new, "")
        yield from self._schema(self._old, self._new, "")

    def _schema(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if (pair := (repr(old), repr(new))) in self._open:  # a model that holds itself
            return
        self._open.append(pair)
        before, after = shapes(old, self._old), shapes(new, self._new)
        if before.nullable != after.nullable and not before.free:
            bad = BREAKING, SAFE
            consumers, producers = bad if after.nullable else bad[::-1]
            yield Change(path, "nullable", "may be null" if after.nullable else "is never null", consumers, producers)
        yield from self._variants(before, after, path)
        self._open.pop()

    def _variants(self, before: Shapes, after: Shapes, path: str) -> Iterator[Change]:
        if before.free or after.free:
            if before.free and not after.free:
                yield Change(path, "type", f"is {_kinds(after)}, was anything", SAFE, BREAKING)
            elif after.free and not before.free:
                yield Change(path, "type", f"is anything, was {_kinds(before)}", BREAKING, SAFE)
            return
        if len(before.variants) == len(after.variants) == 1:
            yield from self._one(before.variants[0], after.variants[0], path)
            return
        rest = list(before.variants)
        for variant in after.variants:
            match = self._match(variant, rest if not self._reading else list(before.variants), path)
            if match is None:
                yield Change(path, "union", f"may now be {_name(variant)}", BREAKING, SAFE)
                continue
            if match in rest:
                rest.remove(match)
            yield from self._one(match, variant, path)
        for variant in rest if not self._reading else ():
            yield Change(path, "union", f"may no longer be {_name(variant)}", SAFE, BREAKING)

    def _match(self, variant: Schema, candidates: list[Schema], path: str) -> Schema | None:
        """Whom of the old variants the new one continues: by its tag, by its name, else the least different."""
        alike = [one for one in candidates if one["type"] == variant["type"]]
        tag = _tag(variant, self._new)
        if tag is not None and any(_tag(one, self._old) for one in alike):
            return next((one for one in alike if _tag(one, self._old) == tag), None)
        by_name = [one for one in alike if one.get("title") == variant.get("title") and "title" in one]
        if by_name and not self._reading:
            return by_name[0]
        ranked = sorted(alike, key=lambda one: self._difference(one, variant, path))
        if ranked and variant["type"] == "object" and not self._reading and self._difference(ranked[0], variant, path):
            return None
        return ranked[0] if ranked else None

    def _difference(self, old: Schema, new: Schema, path: str) -> int:
        return sum(one.consumers * 8 + one.producers for one in self._one(old, new, path))

    def _one(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if old["type"] == new["type"] == "object":
            yield from self._object(old, new, path)
        elif old["type"] == new["type"] == "array":
            yield from limit_changes(old, new, path, reading=self._reading)
            yield from self._items(old, new, path)
        elif {"object", "array"} & {old["type"], new["type"]}:
            yield Change(path, "type", f"is {kind_of(new)}, was {kind_of(old)}", BREAKING, BREAKING)
        else:
            yield from scalar_changes(old, new, path, reading=self._reading)

    def _items(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        for at in range(max(len(before), len(after), 1)):
            first = before[at] if at < len(before) else old.get("items", {})
            second = after[at] if at < len(after) else new.get("items", {})
            if isinstance(first, dict) and isinstance(second, dict):
                yield from self._schema(first, second, f"{path}[{at if before or after else ''}]")

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if is_map(old) or is_map(new):
            yield from self._map(old, new, path)
            return
        before, after = old.get("properties", {}), new.get("properties", {})
        gone = [name for name in before if name not in after]
        came = [name for name in after if name not in before]
        for name in gone:
            yield from self._removed(old, new, name, came, path)
        for name in came:
            yield from self._added(old, new, name, path)
        for name in before:
            if name in after:
                yield from self._field(old, new, name, path)

    def _map(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if not (is_map(old) and is_map(new)):
            if not (old.get("properties") or is_map(old)):  # an object of which nothing is said
                return
            words = ("a map of keys" if is_map(one) else "an object of fields" for one in (new, old))
            yield Change(path, "type", "is {}, was {}".format(*words), BREAKING, BREAKING)
            return
        (old_keys, old_values), (new_keys, new_values) = map_parts(old), map_parts(new)
        yield from limit_changes(old, new, path, reading=self._reading)
        yield from self._schema(old_keys, new_keys, f"{path}{{key}}")
        yield from self._schema(old_values, new_values, f"{path}{{}}")

    def _removed(self, old: Schema, new: Schema, name: str, came: list[str], path: str) -> Iterator[Change]:
        field = old["properties"][name]
        heir = next((other for other in came if self._same_field(field, new["properties"][other])), None)
        required = _needed(old, name) if self._reading else _promised(old, name, self._old)
        if self._reading:
            bad = SAFE if self._deployed and not required else BREAKING
            yield Change(_below(path, name), "removed", "is not in the contract", bad)
        elif heir:
            yield Change(
                _below(path, name), "renamed", f"removed (renamed to {heir}?)", BREAKING if required else RISKY
            )
        else:
            yield Change(_below(path, name), "removed", "removed", BREAKING if required else RISKY)

    def _same_field(self, old: Schema, new: Schema) -> bool:
        return not [one for one in self._schema(old, new, "") if one.worst]

    def _added(self, old: Schema, new: Schema, name: str, path: str) -> Iterator[Change]:
        if self._reading:
            if old.get("additionalProperties") is False:
                yield Change(
                    _below(path, name), "closed", "is refused: the consumer's model forbids other fields", BREAKING
                )
            return
        needed = _needed(new, name)
        what = "added, required: events written before do not have it" if needed else "added"
        yield Change(_below(path, name), "added", what, SAFE, BREAKING if needed else SAFE)

    def _field(self, old: Schema, new: Schema, name: str, path: str) -> Iterator[Change]:
        first, second, here = old["properties"][name], new["properties"][name], _below(path, name)
        if self._reading:
            if _needed(old, name) and not _promised(new, name, self._new):
                yield Change(here, "optional", "may be left out, but is read as required", BREAKING)
                below = self._schema(first, second, here)
                yield from (one for one in below if (one.field, one.kind) != (here, "nullable"))  # the same, twice
                return
        else:
            yield from self._presence(old, new, name, here)
            yield from _annotations(first, second, here)
        yield from self._schema(first, second, here)

    def _presence(self, old: Schema, new: Schema, name: str, here: str) -> Iterator[Change]:
        if _promised(old, name, self._old) and not _promised(new, name, self._new):
            yield Change(here, "optional", "may be left out, was required", BREAKING, SAFE)
        elif _needed(new, name) and not _needed(old, name):
            written = _promised(old, name, self._old)  # by its default, though a producer elsewhere may leave it out
            yield Change(here, "required", "required, was optional", SAFE, RISKY if written else BREAKING)
        elif _needed(old, name) and not _needed(new, name):
            yield Change(here, "default", "has a default, was required")


def _needed(schema: Schema, name: str) -> bool:
    return name in schema.get("required", ())


def _promised(schema: Schema, name: str, root: Schema) -> bool:
    """Always on the wire: a None is not written, any other default is."""
    field = schema["properties"][name]
    default = resolved(field, root).get("default")
    return (_needed(schema, name) or default is not None) and not shapes(field, root).nullable


def _annotations(old: Schema, new: Schema, here: str) -> Iterator[Change]:
    before, after = old.get("default", _NO_DEFAULT), new.get("default", _NO_DEFAULT)
    if before is not _NO_DEFAULT and after is not _NO_DEFAULT and not same(before, after):
        yield Change(here, "default", f"default is {after!r}, was {before!r}", RISKY, RISKY)
    if bool(old.get(SECRET)) != bool(new.get(SECRET)):
        what = "is secret: audit and logs leave it out" if new.get(SECRET) else "is secret no longer: audit keeps it"
        yield Change(here, "secret", what, RISKY, RISKY)
    yield from _docs(old, new, here)


def _docs(old: Schema, new: Schema, here: str) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(here, "docs", "description edited")


def _tag(variant: Schema, root: Schema) -> tuple[str, str] | None:
    """The constant field that tells a variant from its siblings."""
    for name, field in variant.get("properties", {}).items():
        values = values_of(resolved(field, root))
        if values is not None and len(values) == 1:
            return name, next(iter(values))
    return None


def _kinds(found: Shapes) -> str:
    return " or ".join(_name(one) for one in found.variants)


def _name(variant: Schema) -> str:
    return str(variant["title"]) if variant.get("type") == "object" and "title" in variant else kind_of(variant)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
