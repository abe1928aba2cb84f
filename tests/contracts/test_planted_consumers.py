"""Planted consumers: subsets that a producer's schema satisfies, and subsets that it does not."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from contracts.check.compare import fields, misfits
from tests.contracts.planted import event, reader


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
    note: str | None = None


class Sku(BaseModel):
    sku: str


class SkuClosed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str
    note: str | None = None


class Note(BaseModel):
    note: str


class NoteOptional(BaseModel):
    note: str | None = None


class Price(BaseModel):
    price: int


class Card(BaseModel):
    kind: Literal["card"]
    last_four: str


class Cash(BaseModel):
    kind: Literal["cash"]


class ReadCard(BaseModel):
    kind: Literal["card"]


class ReadCash(BaseModel):
    kind: Literal["cash"]


Short = Annotated[str, Field(max_length=5)]
Longer = Annotated[str, Field(max_length=9)]
Fields = dict[str, Any]
REFUSED: list[tuple[str, Fields, Fields, str]] = [
    # what, what the producer promises, what the consumer reads, the field at fault
    ("a field that is not there", {"a": str}, {"b": str}, "b"),
    ("an optional field that is not there", {"a": str}, {"b": (str | None, None)}, "b"),
    ("optional read as required", {"a": (str | None, None)}, {"a": str}, "a"),
    ("nullable read as never null", {"a": str | None}, {"a": (str, "")}, "a"),
    ("null is not written, so not there", {"a": str | None}, {"a": str | None}, "a"),
    ("text read as a date", {"a": str}, {"a": date}, "a"),
    ("text read as a number", {"a": str}, {"a": int}, "a"),
    ("number read as integer", {"a": float}, {"a": int}, "a"),
    ("text read as one of two", {"a": str}, {"a": Two}, "a"),
    ("three values read as two", {"a": Three}, {"a": Two}, "a"),
    ("text read as short", {"a": str}, {"a": Short}, "a"),
    ("long text read as short", {"a": Longer}, {"a": Short}, "a"),
    ("a number read as positive", {"a": int}, {"a": Annotated[int, Field(gt=0)]}, "a"),
    ("text read by a pattern", {"a": str}, {"a": Annotated[str, Field(pattern="^x")]}, "a"),
    ("anything read as text", {"a": Any}, {"a": str}, "a"),
    ("two types read as one", {"a": str | int}, {"a": str}, "a"),
    ("two variants read as one", {"a": Card | Cash}, {"a": ReadCard}, "a"),
    ("nested: not there", {"a": Line}, {"a": Price}, "a.price"),
    ("nested: optional read as required", {"a": Line}, {"a": Note}, "a.note"),
    ("nested: the reader is closed", {"a": Line}, {"a": SkuClosed}, "a.count"),
    ("in a list: not there", {"a": list[Line]}, {"a": list[Price]}, "a[].price"),
    ("in a map: other values", {"a": dict[str, str]}, {"a": dict[str, int]}, "a{}"),
    ("in a map: stricter keys", {"a": dict[str, int]}, {"a": dict[Two, int]}, "a{key}"),
    ("a list read as text", {"a": list[str]}, {"a": str}, "a"),
    ("a list of unknown length read as short", {"a": list[str]}, {"a": Annotated[list[str], Field(max_length=2)]}, "a"),
]
TAKEN: list[tuple[str, Fields, Fields]] = [
    ("the same", {"a": Line, "b": Two}, {"a": Line, "b": Two}),
    ("nothing", {"a": str}, {}),
    ("a part", {"a": str, "b": int}, {"b": int}),
    ("a part of what is nested", {"a": list[Line]}, {"a": list[Sku]}),
    ("nested: optional read as optional", {"a": Line}, {"a": NoteOptional}),
    ("required read as optional", {"a": str}, {"a": (str | None, None)}),
    ("a default is always written", {"a": (int, 3)}, {"a": int}),
    ("another default of its own", {"a": (int, 3)}, {"a": (int, 4)}),
    ("one of two read as one of three", {"a": Two}, {"a": Three}),
    ("one of two read as text", {"a": Two}, {"a": str}),
    ("a date read as text", {"a": date}, {"a": str}),
    ("an integer read as number", {"a": int}, {"a": float}),
    ("short read as long", {"a": Short}, {"a": Longer}),
    ("anything read as anything", {"a": Any}, {"a": Any}),
    ("one type read as one of two", {"a": str}, {"a": str | int}),
    ("variants read by their tags", {"a": Card | Cash}, {"a": ReadCash | ReadCard}),
    ("a list read as a set", {"a": list[str]}, {"a": set[str]}),
    ("an object read as a dict", {"a": Line}, {"a": Any}),
    ("values that fit the length", {"a": Two}, {"a": Short}),
]


def name(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("what", "producer", "consumer", "field"), REFUSED, ids=name)
def test_a_subset_that_asks_for_more_than_is_promised_is_refused(
    what: str, producer: Fields, consumer: Fields, field: str
) -> None:
    assert {one.field for one in misfits(reader(**consumer), event(id=str, **producer))} == {field}


@pytest.mark.parametrize(("what", "producer", "consumer"), TAKEN, ids=name)
def test_a_subset_of_what_is_promised_is_accepted(what: str, producer: Fields, consumer: Fields) -> None:
    assert misfits(reader(**consumer), event(id=str, **producer)) == []


def test_an_older_producer_must_have_only_the_required_fields() -> None:
    older = event(id=str)
    assert misfits(reader(new=(str | None, None)), older, deployed=True) == []
    assert [one.field for one in misfits(reader(new=str), older, deployed=True)] == ["new"]


def test_the_fields_of_an_event_are_known_by_their_paths() -> None:
    schema = event(id=str, lines=list[Line], by_name=dict[str, Sku], pay=Card | Cash)
    assert sorted(fields(schema)) == [
        "by_name",
        "by_name{}.sku",
        "id",
        "lines",
        "lines[].count",
        "lines[].note",
        "lines[].sku",
        "pay",
        "pay.kind",
        "pay.last_four",
    ]
