"""Comparison of two versions of a schema, field by field, and of a consumer's subset with a producer's schema.

Both use the same rules: the consumer's subset is compared like an old contract, the producer's schema like the new one,
and a change that breaks "consumers of the old contract" is one that this consumer cannot read.
"""

from collections.abc import Iterator
from typing import Any

from contracts.check.bounds import kind_of, limit_changes, same, scalar_changes
from contracts.check.change import BREAKING, RISKY, SAFE, Change
from contracts.check.shape import Schema, Shapes, is_map, map_parts, resolve, shapes, values_of

SECRET = "x-secret"  # noqa: S105
_NO_DEFAULT = object()


def changes(old: Schema, new: Schema) -> list[Change]:
    """All differences between two schemas of the same event type, each once."""
    return list(dict.fromkeys(_Comparison(old, new, reading=False).event()))


def misfits(reader: Schema, producer: Schema, *, deployed: bool = False) -> list[Change]:
    """The reasons why a consumer with the subset `reader` cannot read all events of `producer`. Empty: it can.

    With `deployed`, the producer's schema is an older one that may still be in use: it may lack the reader's optional
    fields.
    """
    differences = _Comparison(reader, producer, reading=True, deployed=deployed).event()
    return list(dict.fromkeys(change for change in differences if change.consumers is BREAKING))


def fields(schema: Schema) -> dict[str, Schema]:
    """All fields of an event by their paths, including nested ones (`items[].sku`)."""
    by_path: dict[str, Schema] = {}
    _collect(schema, schema, "", by_path, ())
    return by_path


def _collect(schema: Schema, root: Schema, path: str, by_path: dict[str, Schema], above: tuple[Any, ...]) -> None:
    for variant in shapes(schema, root).variants:
        mark = variant.get("title"), tuple(variant.get("properties", ()))
        if mark in above and variant.get("properties"):
            continue
        if variant.get("type") == "array":
            for part in [*variant.get("prefixItems", ()), variant.get("items", {})]:
                if isinstance(part, dict):
                    _collect(part, root, f"{path}[]", by_path, above)
        elif is_map(variant):
            _collect(map_parts(variant)[1], root, f"{path}{{}}", by_path, above)
        for name, field in variant.get("properties", {}).items():
            below = _below(path, name)
            by_path[below] = field
            _collect(field, root, below, by_path, (*above, mark))


class _Comparison:
    """A walk through two schemas. With `reading`, the old one is a consumer's subset of the new one."""

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
        if (pair := (repr(old), repr(new))) in self._open:  # a model that contains itself
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
            yield from self._variant(before.variants[0], after.variants[0], path)
            return
        rest = list(before.variants)
        for variant in after.variants:
            match = self._match(variant, rest if not self._reading else list(before.variants), path)
            if match is None:
                yield Change(path, "union", f"may now be {_name(variant)}", BREAKING, SAFE)
                continue
            if match in rest:
                rest.remove(match)
            yield from self._variant(match, variant, path)
        for variant in rest if not self._reading else ():
            yield Change(path, "union", f"may no longer be {_name(variant)}", SAFE, BREAKING)

    def _match(self, variant: Schema, candidates: list[Schema], path: str) -> Schema | None:
        """The old variant that the new one continues: by its tag, by its name, else the least different."""
        alike = [old for old in candidates if old["type"] == variant["type"]]
        tag = _tag(variant, self._new)
        if tag is not None and any(_tag(old, self._old) for old in alike):
            return next((old for old in alike if _tag(old, self._old) == tag), None)
        by_name = [old for old in alike if old.get("title") == variant.get("title") and "title" in old]
        if by_name and not self._reading:
            return by_name[0]
        ranked = sorted(alike, key=lambda old: self._difference(old, variant, path))
        if ranked and variant["type"] == "object" and not self._reading and self._difference(ranked[0], variant, path):
            return None
        return ranked[0] if ranked else None

    def _difference(self, old: Schema, new: Schema, path: str) -> int:
        return sum(change.consumers * 8 + change.producers for change in self._variant(old, new, path))

    def _variant(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if old["type"] == new["type"] == "object":
            compare = self._map if is_map(old) or is_map(new) else self._subset if self._reading else self._fields
            yield from compare(old, new, path)
        elif old["type"] == new["type"] == "array":
            yield from limit_changes(old, new, path, reading=self._reading)
            before, after = old.get("prefixItems", []), new.get("prefixItems", [])
            for at in range(max(len(before), len(after), 1)):
                first = before[at] if at < len(before) else old.get("items", {})
                second = after[at] if at < len(after) else new.get("items", {})
                if isinstance(first, dict) and isinstance(second, dict):
                    yield from self._schema(first, second, f"{path}[{at if before or after else ''}]")
        elif {"object", "array"} & {old["type"], new["type"]}:
            yield Change(path, "type", f"is {kind_of(new)}, was {kind_of(old)}", BREAKING, BREAKING)
        else:
            yield from scalar_changes(old, new, path, reading=self._reading)

    def _map(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if not (is_map(old) and is_map(new)):
            if not (old.get("properties") or is_map(old)):  # an object without any description
                return
            words = ("a map of keys" if is_map(schema) else "an object of fields" for schema in (new, old))
            yield Change(path, "type", "is {}, was {}".format(*words), BREAKING, BREAKING)
            return
        (old_keys, old_values), (new_keys, new_values) = map_parts(old), map_parts(new)
        yield from limit_changes(old, new, path, reading=self._reading)
        yield from self._schema(old_keys, new_keys, f"{path}{{key}}")
        yield from self._schema(old_values, new_values, f"{path}{{}}")

    def _subset(self, reader: Schema, producer: Schema, path: str) -> Iterator[Change]:
        """Compares the fields of a consumer's subset with a producer's."""
        wanted, offered = reader.get("properties", {}), producer.get("properties", {})
        for name in wanted:
            if name not in offered:
                dispensable = self._deployed and not _is_required(reader, name)
                severity = SAFE if dispensable else BREAKING
                yield Change(_below(path, name), "removed", "is not in the contract", severity)
        if reader.get("additionalProperties") is False:
            for name in offered:
                if name not in wanted:
                    what = "is refused: the consumer's model forbids other fields"
                    yield Change(_below(path, name), "closed", what, BREAKING)
        for name in wanted:
            if name not in offered:
                continue
            here = _below(path, name)
            differences = self._schema(wanted[name], offered[name], here)
            if _is_required(reader, name) and not _is_always_sent(producer, name, self._new):
                yield Change(here, "optional", "may be left out, but is read as required", BREAKING)
                # that it may be null would say the same again
                differences = (each for each in differences if (each.field, each.kind) != (here, "nullable"))
            yield from differences

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        """Compares the fields of two versions."""
        before, after = old.get("properties", {}), new.get("properties", {})
        gone = [name for name in before if name not in after]
        came = [name for name in after if name not in before]
        for name in gone:
            alike = (
                other
                for other in came
                if not any(change.worst for change in self._schema(before[name], after[other], ""))
            )
            severity = BREAKING if _is_always_sent(old, name, self._old) else RISKY
            if heir := next(alike, None):
                yield Change(_below(path, name), "renamed", f"removed (renamed to {heir}?)", severity)
            else:
                yield Change(_below(path, name), "removed", "removed", severity)
        for name in came:
            required = _is_required(new, name)
            what = "added, required: older events do not have it" if required else "added"
            yield Change(_below(path, name), "added", what, SAFE, BREAKING if required else SAFE)
        for name in before:
            if name in after:
                yield from self._declaration(old, new, name, _below(path, name))
                yield from self._schema(before[name], after[name], _below(path, name))

    def _declaration(self, old: Schema, new: Schema, name: str, here: str) -> Iterator[Change]:
        """Changes of a field's presence, default, secrecy and description."""
        if _is_always_sent(old, name, self._old) and not _is_always_sent(new, name, self._new):
            yield Change(here, "optional", "may be left out, was required", BREAKING, SAFE)
        elif _is_required(new, name) and not _is_required(old, name):
            # a default was always sent by our own producer, though another one may leave the field out
            sent = _is_always_sent(old, name, self._old)
            yield Change(here, "required", "required, was optional", SAFE, RISKY if sent else BREAKING)
        elif _is_required(old, name) and not _is_required(new, name):
            yield Change(here, "default", "has a default, was required")
        first, second = old["properties"][name], new["properties"][name]
        before, after = first.get("default", _NO_DEFAULT), second.get("default", _NO_DEFAULT)
        if before is not _NO_DEFAULT and after is not _NO_DEFAULT and not same(before, after):
            yield Change(here, "default", f"default is {after!r}, was {before!r}", RISKY, RISKY)
        if bool(first.get(SECRET)) != bool(second.get(SECRET)):
            secret = "is secret: audit and logs omit it"  # noqa: S105
            what = secret if second.get(SECRET) else "is no longer secret: audit records it"
            yield Change(here, "secret", what, RISKY, RISKY)
        yield from _docs(first, second, here)


def _is_required(schema: Schema, name: str) -> bool:
    return name in schema.get("required", ())


def _is_always_sent(schema: Schema, name: str, root: Schema) -> bool:
    """Whether every event has the field: a None is not written, any other default is."""
    field = schema["properties"][name]
    default = resolve(field, root).get("default")
    return (_is_required(schema, name) or default is not None) and not shapes(field, root).nullable


def _docs(old: Schema, new: Schema, here: str) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(here, "docs", "description edited")


def _tag(variant: Schema, root: Schema) -> tuple[str, str] | None:
    """The constant field that distinguishes a variant from its siblings, and its value."""
    for name, field in variant.get("properties", {}).items():
        values = values_of(resolve(field, root))
        if values is not None and len(values) == 1:
            return name, next(iter(values))
    return None


def _kinds(value: Shapes) -> str:
    return " or ".join(_name(variant) for variant in value.variants)


def _name(variant: Schema) -> str:
    return str(variant["title"]) if variant.get("type") == "object" and "title" in variant else kind_of(variant)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
