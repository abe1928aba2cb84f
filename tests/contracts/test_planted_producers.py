"""Planted changes of a producer's contract, each with its expected severity for consumers and for producers."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from contracts.check.change import BREAKING, RISKY, SAFE, Severity
from contracts.check.compare import changes
from contracts.event import Secret
from tests.contracts.planted import event

S, R, B = SAFE, RISKY, BREAKING


class Two(StrEnum):
    A = "a"
    B = "b"


class Three(StrEnum):
    A = "a"
    B = "b"
    C = "c"


class Line(BaseModel):
    sku: str
    count: int


class LineFewer(BaseModel):
    sku: str


class LineMore(BaseModel):
    sku: str
    count: int
    note: str | None = None


class LineNeedsMore(BaseModel):
    sku: str
    count: int
    note: str


class LineRetyped(BaseModel):
    sku: str
    count: str


class LineRenamed(BaseModel):
    sku: str
    amount: int


class LineClosed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str
    count: int


class Card(BaseModel):
    kind: Literal["card"]
    last_four: str


class CardFewer(BaseModel):
    kind: Literal["card"]


class Cash(BaseModel):
    kind: Literal["cash"]


class CashRetagged(BaseModel):
    kind: Literal["coins"]


class Voucher(BaseModel):
    kind: Literal["voucher"]


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class TreeRetyped(BaseModel):
    name: int
    children: list["TreeRetyped"] = []


def text(**limits: Any) -> Any:
    return Annotated[str, Field(**limits)]


def number(**limits: Any) -> Any:
    return Annotated[int, Field(**limits)]


def many(**limits: Any) -> Any:
    return Annotated[list[str], Field(**limits)]


XKey = Annotated[str, Field(pattern="^x")]
Old = dict[str, Any]
PLANTED: list[tuple[str, Old, Old, str, Severity, Severity]] = [
    # what, old fields, new fields, the field at fault, for consumers, for producers
    ("removed required", {"a": str, "b": str}, {"a": str}, "b", B, S),
    ("removed optional", {"b": (str | None, None)}, {}, "b", R, S),
    ("removed with a default", {"b": (str, "x")}, {}, "b", B, S),
    ("renamed", {"due": date}, {"due_on": date}, "due", B, S),
    ("renamed: the new name", {"due": date}, {"due_on": date}, "due_on", S, B),
    ("renamed optional", {"due": (date | None, None)}, {"due_on": (date | None, None)}, "due", R, S),
    ("added optional", {}, {"b": (str | None, None)}, "b", S, S),
    ("added with a default", {}, {"b": (int, 3)}, "b", S, S),
    ("added required", {}, {"b": str}, "b", S, B),
    ("string to integer", {"a": str}, {"a": int}, "a", B, B),
    ("integer to number", {"a": int}, {"a": float}, "a", B, S),
    ("number to integer", {"a": float}, {"a": int}, "a", S, B),
    ("boolean to string", {"a": bool}, {"a": str}, "a", B, B),
    ("string to list", {"a": str}, {"a": list[str]}, "a", B, B),
    ("string to object", {"a": str}, {"a": Line}, "a", B, B),
    ("date to string", {"a": date}, {"a": str}, "a", B, S),
    ("string to date", {"a": str}, {"a": date}, "a", S, B),
    ("date to date and time", {"a": date}, {"a": datetime}, "a", B, B),
    ("anything to string", {"a": Any}, {"a": str}, "a", S, B),
    ("string to anything", {"a": str}, {"a": Any}, "a", B, S),
    ("enum widened", {"a": Two}, {"a": Three}, "a", B, S),
    ("enum narrowed", {"a": Three}, {"a": Two}, "a", S, B),
    ("enum value replaced", {"a": Literal["x", "y"]}, {"a": Literal["x", "z"]}, "a", B, B),
    ("enum opened to any string", {"a": Two}, {"a": str}, "a", B, S),
    ("string closed to an enum", {"a": str}, {"a": Two}, "a", S, B),
    ("enum beyond the old length", {"a": text(max_length=1)}, {"a": Literal["aa"]}, "a", B, B),
    ("constant changed", {"a": Literal["x"]}, {"a": Literal["y"]}, "a", B, B),
    ("integer enum widened", {"a": Literal[1]}, {"a": Literal[1, 2]}, "a", B, S),
    ("longer", {"a": text(max_length=5)}, {"a": text(max_length=9)}, "a", R, S),
    ("shorter", {"a": text(max_length=9)}, {"a": text(max_length=5)}, "a", S, B),
    ("no longest any more", {"a": text(max_length=9)}, {"a": str}, "a", R, S),
    ("a least length", {"a": str}, {"a": text(min_length=2)}, "a", S, B),
    ("no least length any more", {"a": text(min_length=2)}, {"a": str}, "a", R, S),
    ("a pattern", {"a": str}, {"a": text(pattern="^x")}, "a", S, B),
    ("no pattern any more", {"a": text(pattern="^x")}, {"a": str}, "a", R, S),
    ("another pattern", {"a": text(pattern="^x")}, {"a": text(pattern="^y")}, "a", R, B),
    ("higher maximum", {"a": number(le=5)}, {"a": number(le=6)}, "a", R, S),
    ("lower maximum", {"a": number(le=5)}, {"a": number(le=4)}, "a", S, B),
    ("lower minimum", {"a": number(ge=1)}, {"a": number(ge=0)}, "a", R, S),
    ("higher minimum", {"a": number(ge=1)}, {"a": number(ge=2)}, "a", S, B),
    ("at least becomes more than", {"a": number(ge=1)}, {"a": number(gt=1)}, "a", S, B),
    ("less than becomes at most", {"a": number(lt=9)}, {"a": number(le=9)}, "a", R, S),
    ("a coarser step", {"a": number(multiple_of=2)}, {"a": number(multiple_of=4)}, "a", S, B),
    ("a finer step", {"a": number(multiple_of=4)}, {"a": number(multiple_of=2)}, "a", R, S),
    ("fewer items", {"a": many(max_length=9)}, {"a": many(max_length=5)}, "a", S, B),
    ("list to set", {"a": list[str]}, {"a": set[str]}, "a", S, B),
    ("set to list", {"a": set[str]}, {"a": list[str]}, "a", R, S),
    ("may be left out", {"a": str}, {"a": (str | None, None)}, "a", B, S),
    ("optional to required", {"a": (str | None, None)}, {"a": str}, "a", S, B),
    ("a default to required", {"a": (int, 3)}, {"a": int}, "a", S, R),
    ("required to a default", {"a": int}, {"a": (int, 3)}, "a", S, S),
    ("nullable", {"a": str}, {"a": str | None}, "a", B, S),
    ("null no more", {"a": str | None}, {"a": str}, "a", S, B),
    ("default changed", {"a": (int, 3)}, {"a": (int, 4)}, "a", R, R),
    ("default of another type", {"a": (int | bool, 1)}, {"a": (int | bool, True)}, "a", R, R),
    ("description edited", {"a": text(description="x")}, {"a": text(description="y")}, "a", S, S),
    ("became secret", {"a": str}, {"a": Annotated[str, Field(json_schema_extra={Secret.schema_key: True})]}, "a", R, R),
    ("nested: removed", {"a": Line}, {"a": LineFewer}, "a.count", B, S),
    ("nested: added optional", {"a": Line}, {"a": LineMore}, "a.note", S, S),
    ("nested: added required", {"a": Line}, {"a": LineNeedsMore}, "a.note", S, B),
    ("nested: retyped", {"a": Line}, {"a": LineRetyped}, "a.count", B, B),
    ("nested: renamed", {"a": Line}, {"a": LineRenamed}, "a.count", B, S),
    ("nested in a list: removed", {"a": list[Line]}, {"a": list[LineFewer]}, "a[].count", B, S),
    ("nested in lists: retyped", {"a": list[list[Line]]}, {"a": list[list[LineRetyped]]}, "a[][].count", B, B),
    ("nested, nullable: removed", {"a": (Line | None, None)}, {"a": (LineFewer | None, None)}, "a.count", B, S),
    ("nested in itself", {"a": Tree}, {"a": TreeRetyped}, "a.name", B, B),
    ("list of another type", {"a": list[str]}, {"a": list[int]}, "a[]", B, B),
    ("list of what may be null", {"a": list[str]}, {"a": list[str | None]}, "a[]", B, S),
    ("tuple: its second item", {"a": tuple[str, int]}, {"a": tuple[str, str]}, "a[1]", B, B),
    ("map: other values", {"a": dict[str, int]}, {"a": dict[str, str]}, "a{}", B, B),
    ("map: wider values", {"a": dict[str, int]}, {"a": dict[str, float]}, "a{}", B, S),
    ("map: keys with a pattern", {"a": dict[str, int]}, {"a": dict[XKey, int]}, "a{key}", S, B),
    ("map: more keys", {"a": dict[Two, int]}, {"a": dict[Three, int]}, "a{key}", B, S),
    ("map: nested", {"a": dict[str, Line]}, {"a": dict[str, LineFewer]}, "a{}.count", B, S),
    ("map to object", {"a": dict[str, int]}, {"a": Line}, "a", B, B),
    ("union: a type more", {"a": str}, {"a": str | int}, "a", B, S),
    ("union: a type fewer", {"a": str | int}, {"a": str}, "a", S, B),
    ("union: a variant more", {"a": Card | Cash}, {"a": Card | Cash | Voucher}, "a", B, S),
    ("union: a variant fewer", {"a": Card | Cash | Voucher}, {"a": Card | Cash}, "a", S, B),
    ("union: a field of a variant", {"a": Card | Cash}, {"a": CardFewer | Cash}, "a.last_four", B, S),
    ("union: another tag", {"a": Card | Cash}, {"a": Card | CashRetagged}, "a", B, B),
    ("union in a list", {"a": list[Card | Cash]}, {"a": list[Card | Cash | Voucher]}, "a[]", B, S),
]


def worst(old: dict[str, Any], new: dict[str, Any], field: str) -> tuple[Severity, Severity] | None:
    found = [one for one in changes(event(id=str, **old), event(id=str, **new)) if one.field == field]
    return (max(one.consumers for one in found), max(one.producers for one in found)) if found else None


@pytest.mark.parametrize(
    ("what", "old", "new", "field", "consumers", "producers"), PLANTED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_planted_change_is_classified(
    what: str, old: dict[str, Any], new: dict[str, Any], field: str, consumers: Severity, producers: Severity
) -> None:
    found = changes(event(id=str, **old), event(id=str, **new))
    assert worst(old, new, field) == (consumers, producers), [str(one) for one in found]


@pytest.mark.parametrize(
    ("what", "old", "new"), [row[:3] for row in PLANTED], ids=lambda v: v if isinstance(v, str) else ""
)
def test_there_are_no_changes_between_equal_contracts(what: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changes(event(id=str, **old), event(id=str, **old)) == []
    assert changes(event(id=str, **new), event(id=str, **new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": Line}, {"a": LineClosed}),  # readers are tolerant: that the producer's model is closed says nothing
        ({"a": Card | Cash}, {"a": Cash | Card}),
        ({"a": Literal["x", "y"]}, {"a": Literal["y", "x"]}),
        ({"a": Two}, {"a": Literal["a", "b"]}),
        ({"a": str, "b": int}, {"b": int, "a": str}),
        ({"a": text(min_length=0)}, {"a": str}),
        ({"a": text(title="A")}, {"a": text(title="B")}),
    ],
)
def test_a_difference_that_is_not_on_the_wire_is_not_a_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changes(event(id=str, **old), event(id=str, **new)) == []


def test_another_subject_is_another_aggregate() -> None:
    [change] = changes(event(id=str, other=str), event("other", id=str, other=str))
    assert (change.kind, change.consumers, change.producers) == ("meaning", BREAKING, BREAKING)


def test_there_are_enough_planted_changes() -> None:
    assert len(PLANTED) >= 60
    assert len({row[0] for row in PLANTED}) == len(PLANTED)
