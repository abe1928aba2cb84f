"""Changes of a scalar's bounds: its type, its list of values, its format and its limits."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from contracts.check.change import BREAKING, RISKY, SAFE, Change
from contracts.check.shape import Schema, values_of

Direction = Literal["loosened", "tightened", "replaced"]
LOWER = {"minLength": "length", "minItems": "number of items", "minProperties": "number of keys"}
UPPER = {"maxLength": "length", "maxItems": "number of items", "maxProperties": "number of keys"}


def kind_of(schema: Schema) -> str:
    """The type of a schema, as a person would name it."""
    name = str(schema.get("type", "anything"))
    return f"{name} ({schema['format']})" if "format" in schema and name == "string" else name


def scalar_changes(old: Schema, new: Schema, path: str, *, reading: bool) -> Iterator[Change]:
    """The changes from `old` to `new`, which are scalars. With `reading`, `old` is a consumer's subset."""
    before, after = old["type"], new["type"]
    if before != after:
        widened, narrowed = (before, after) == ("integer", "number"), (before, after) == ("number", "integer")
        yield Change(
            path,
            "type",
            f"is {kind_of(new)}, was {kind_of(old)}",
            SAFE if narrowed else BREAKING,
            SAFE if widened else BREAKING,
        )
        if not (widened or narrowed):
            return
    yield from _value_changes(old, new, path)
    yield from limit_changes(old, new, path, reading=reading)


def _value_changes(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    """Changes of the list of values, or of the format where all values are allowed."""
    before, after = values_of(old), values_of(new)
    if before is None and after is not None:
        unfit = sorted(text for text, value in after.items() if not _within(value, old))
        never = f"; {_some(unfit)} never fitted" if unfit else ""
        what = f"is only {_some(after)}, was any {kind_of(old)}{never}"
        yield Change(path, "enum", what, BREAKING if unfit else SAFE, BREAKING)
    elif before is not None and after is None:
        yield Change(path, "enum", f"is any {kind_of(new)}, was only {_some(before)}", BREAKING, SAFE)
    elif before is not None and after is not None:
        if added := sorted(after.keys() - before.keys()):
            yield Change(path, "enum", f"may now be {_some(added)}", BREAKING, SAFE)
        if removed := sorted(before.keys() - after.keys()):
            yield Change(path, "enum", f"may no longer be {_some(removed)}", SAFE, BREAKING)
    first, second = old.get("format"), new.get("format")
    if first == second or "string" not in (old["type"], new["type"]) or after is not None:
        return
    if first is None:
        yield Change(path, "type", f"is {kind_of(new)}, was any string", SAFE, BREAKING)
    else:
        yield Change(path, "type", f"is {kind_of(new)}, was {kind_of(old)}", BREAKING, BREAKING if second else SAFE)


def limit_changes(old: Schema, new: Schema, path: str, *, reading: bool) -> Iterator[Change]:
    """Changes of lengths, ranges and patterns, unless a list of values already implies them."""
    if values_of(new) is not None or values_of(old) is not None:
        return
    # A looser limit breaks only a consumer that relies on it, and readers say whether they do.
    harm = BREAKING if reading else RISKY
    for what, direction in _limits(old, new):
        yield Change(
            path,
            "constraint",
            f"{what} ({direction})",
            SAFE if direction == "tightened" else harm,
            SAFE if direction == "loosened" else BREAKING,
        )
    unique = bool(old.get("uniqueItems")), bool(new.get("uniqueItems"))
    if unique == (False, True):
        yield Change(path, "constraint", "must have no item twice (tightened)", SAFE, BREAKING)
    elif unique == (True, False) and not reading:  # a reader's set accepts a list and drops duplicates
        yield Change(path, "constraint", "may have items twice (loosened)", RISKY, SAFE)


def _limits(old: Schema, new: Schema) -> Iterator[tuple[str, Direction]]:
    direction: Direction
    for table, sign, word in ((LOWER, 1, "at least"), (UPPER, -1, "at most")):
        for key, name in table.items():
            before, after = old.get(key), new.get(key)
            before = before or None if sign > 0 else before  # "at least 0" is not a limit
            after = after or None if sign > 0 else after
            if before != after:
                text = f"{name} {word} {_or_any(after)}, was {_or_any(before)}"
                yield text, _direction(before, after, sign)
    for low, sign in ((True, 1), (False, -1)):
        first, second = edge(old, low=low), edge(new, low=low)
        if first != second:
            yield f"range {_edge_text(second, low)}, was {_edge_text(first, low)}", _direction(first, second, sign)
    if old.get("pattern") != new.get("pattern"):
        before, after = old.get("pattern"), new.get("pattern")
        direction = "tightened" if before is None else "loosened" if after is None else "replaced"
        yield f"pattern {_or_any(after)}, was {_or_any(before)}", direction
    if old.get("multipleOf") != new.get("multipleOf"):
        step, other = old.get("multipleOf"), new.get("multipleOf")
        if step is None or other is None:
            direction = "tightened" if step is None else "loosened"
        else:
            direction = "tightened" if other % step == 0 else "loosened" if step % other == 0 else "replaced"
        yield f"multiple of {_or_any(other)}, was {_or_any(step)}", direction


def _direction(before: Any, after: Any, sign: int) -> Direction:
    if before is None or after is None:
        return "tightened" if before is None else "loosened"
    return "tightened" if (after > before) == (sign > 0) else "loosened"


def edge(schema: Schema, *, low: bool) -> tuple[float, int] | None:
    """The limit of a number. Its second part sorts "more than 3" above "at least 3"."""
    inclusive, exclusive = ("minimum", "exclusiveMinimum") if low else ("maximum", "exclusiveMaximum")
    sign = 1 if low else -1
    edges = [(schema[key], sign * (key == exclusive)) for key in (inclusive, exclusive) if key in schema]
    if not edges:
        return None
    return max(edges) if low else min(edges)


def _edge_text(edge: tuple[float, int] | None, low: bool) -> str:
    if edge is None:
        return "without a lower limit" if low else "without an upper limit"
    return f"{'>' if low else '<'}{'' if edge[1] else '='} {edge[0]}"


def _within(value: Any, schema: Schema) -> bool:
    if isinstance(value, str):
        size = len(value)
        fits = schema.get("minLength", 0) <= size <= schema.get("maxLength", size)
        return fits and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = edge(schema, low=True), edge(schema, low=False)
        return (low is None or (value, 0) >= low) and (high is None or (value, 0) <= high)
    return True


def _or_any(value: Any) -> str:
    return "any" if value is None else str(value)


def _some(values: Any) -> str:
    texts = [text if len(text) <= 40 else text[:37] + "..." for text in values]
    return ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")


def same(first: Any, second: Any) -> bool:
    """Equality as JSON: 1 is not True."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
