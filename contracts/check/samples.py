"""Examples of an event from its schema: minimal, full and odd ones. The same schema always gives the same examples."""

import re
from collections.abc import Callable
from typing import Any, Literal

from contracts.check.bounds import edge
from contracts.check.shape import Schema, is_map, map_parts, shapes, values_of
from contracts.event import ContractError

Flavour = Literal["minimal", "full", "odd"]
FLAVOURS: tuple[Flavour, ...] = ("minimal", "full", "odd")
ODD_TEXT = (
    "Zo\u00eb \u202e\U0001d518\u202c \U0001f469\u200d\U0001f469\u200d\U0001f467 \u0000\t\"'<&>\\ n\u0303 \u65e5\u672c "
)
LONGEST = 500
"""The length of a text without a limit: longer than any screen, small compared with the bus's limit."""
_FORMATS: dict[str, tuple[str, str]] = {
    "date": ("2026-11-21", "9999-12-31"),
    "date-time": ("2026-11-21T09:00:00Z", "2024-02-29T23:59:59.999999+14:00"),
    "time": ("09:00:00", "23:59:59.999999"),
    "duration": ("PT1H", "P400DT23H59M59.999999S"),
    "uuid": ("018f9c2e-0000-7000-8000-000000000001", "ffffffff-ffff-7fff-bfff-ffffffffffff"),
    "uri": ("https://tenfold.example/", "https://tenfold.example/%F0%9F%98%80?q=a%20b#c"),
    "email": ("ada@tenfold.example", "o'hara+tag@xn--bcher-kva.example"),
    "binary": ("data", "data"),
    "decimal": ("1.50", "0.000001"),
}


def sample(schema: Schema, flavour: Flavour) -> dict[str, Any]:
    """An example of `data` for this schema. Raises ContractError for a pattern that is too complex."""
    data = _Maker(schema, flavour).value(schema, "", 0)
    assert isinstance(data, dict)
    return data


class _Maker:
    def __init__(self, root: Schema, flavour: Flavour) -> None:
        self._root, self._flavour = root, flavour
        self._makers: dict[str, Callable[[Schema, str, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, path, _: self._string(schema, path),
            "integer": lambda schema, _path, _depth: self._number(schema),
            "number": lambda schema, _path, _depth: self._number(schema),
            "boolean": lambda _schema, _path, _depth: flavour != "minimal",
        }

    def value(self, schema: Schema, path: str, depth: int) -> Any:
        variants = shapes(schema, self._root).variants
        if not variants:
            return None
        variant = variants[-1 if self._flavour == "odd" else 0]
        values = values_of(variant)
        if values:
            return list(values.values())[-1 if self._flavour == "odd" else 0]
        if "type" not in variant:
            return ODD_TEXT if self._flavour == "odd" else "anything"
        return self._makers[variant["type"]](variant, path, depth)

    def _object(self, schema: Schema, path: str, depth: int) -> dict[str, Any]:
        if is_map(schema):
            if self._flavour != "full" and not schema.get("minProperties"):
                return {}
            keys, values = map_parts(schema)
            return {str(self.value(keys, f"{path}{{key}}", depth)): self.value(values, f"{path}{{}}", depth)}
        required = schema.get("required", ())
        chosen = [
            name
            for name in schema.get("properties", {})
            if name in required or (self._flavour != "minimal" and depth < 4)
        ]
        return {name: self.value(schema["properties"][name], f"{path}.{name}".strip("."), depth + 1) for name in chosen}

    def _array(self, schema: Schema, path: str, depth: int) -> list[Any]:
        fixed = [self.value(part, f"{path}[{at}]", depth) for at, part in enumerate(schema.get("prefixItems", ()))]
        least = schema.get("minItems", 0)
        count = max(least, 1 if self._flavour == "full" else 0) - len(fixed)
        return fixed + [self.value(schema.get("items", {}), f"{path}[]", depth + 1) for _ in range(count)]

    def _number(self, schema: Schema) -> Any:
        low, high = edge(schema, low=True), edge(schema, low=False)
        step = schema.get("multipleOf", 1)
        least = low[0] + step * (low[1] > 0) if low else None
        most = high[0] - step * (high[1] < 0) if high else None
        if self._flavour == "odd":
            return most if most is not None else 2**53 - 1 - (2**53 - 1) % int(step or 1)
        if least is not None:
            return (
                least if self._flavour == "minimal" else min(least + step, most if most is not None else least + step)
            )
        return min(0 if self._flavour == "minimal" else 3 * step, most if most is not None else 3 * step)

    def _string(self, schema: Schema, path: str) -> str:
        odd = self._flavour == "odd"
        if (examples := _FORMATS.get(schema.get("format", ""))) is not None:
            return examples[odd]
        least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
        if "pattern" in schema:
            return text_matching(str(schema["pattern"]), longest=odd, where=path or str(self._root.get("x-type")))
        if self._flavour == "minimal":
            return "x" * least
        text: str = (ODD_TEXT * LONGEST)[: min(most or LONGEST, LONGEST)] if odd else f"{path} of an example"[:most]
        return text.ljust(least, ".")


_PIECE = re.compile(r"(\[[^\]^][^\]]*\]|\\[dws.]|\.|[A-Za-z0-9_@:/ -])(\{(\d+)(,(\d*))?\}|[*+?])?")
_CLASSES = {"\\d": "09", "\\w": "az", "\\s": "  ", "\\.": "..", ".": "xx"}


def text_matching(pattern: str, *, longest: bool, where: str) -> str:
    """A text that matches a simple pattern: a sequence of literals and character classes, with or without repetition.

    Raises ContractError for any other pattern.
    """
    rest, text = pattern.removeprefix("^").removesuffix("$"), ""
    while rest:
        piece = _PIECE.match(rest)
        if piece is None:
            raise ContractError(
                f"{where}: no example can be made for the pattern {pattern}; write the golden files by hand"
            )
        kind = piece[1]
        first_and_last = _CLASSES.get(kind) or (kind[1] + kind[-2] if kind.startswith("[") else kind * 2)
        count = 1
        if piece[4] is not None:
            most = int(piece[5]) if piece[5] else int(piece[3]) + 8
            count = most if longest else max(int(piece[3]), 1)
        elif piece[3] is not None:
            count = int(piece[3])
        elif piece[2] == "+" and longest:
            count = 8
        text += first_and_last[longest] * count
        rest = rest[piece.end() :]
    if not re.search(pattern, text):
        raise ContractError(
            f"{where}: no example can be made for the pattern {pattern}; write the golden files by hand"
        )
    return text
