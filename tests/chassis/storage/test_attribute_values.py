"""JSON values are unchanged after a round trip through DynamoDB."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from chassis.storage.attribute_values import from_attribute, from_item, to_attribute, to_item
from contracts.common import Role

deserialize: Callable[[Any], Any] = TypeDeserializer().deserialize
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


def same(one: Any, other: Any) -> bool:
    """Equal, with equal types at every depth: 1, 1.0 and True are equal in Python."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(same(a, b) for a, b in zip(one, other, strict=True))
        )
    return type(one) is type(other) and one == other


@given(JSON)
def test_values_survive_a_round_trip(value: Any) -> None:
    assert same(from_attribute(to_attribute(value)), value)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_items_survive_a_round_trip(item: dict[str, Any]) -> None:
    assert same(from_item(to_item(item)), item)


@given(JSON)
def test_boto3_reads_our_format(value: Any) -> None:
    """boto3's own reader is the reference for the format; it returns every number as Decimal."""
    try:
        theirs = deserialize(to_attribute(value))
    except ArithmeticError:  # more digits than DynamoDB stores; only boto3 checks that here
        return
    assert theirs == _decimal(value)


def _decimal(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() | float():
            return Decimal(repr(value))
        case dict():
            return {name: _decimal(inner) for name, inner in value.items()}
        case list():
            return [_decimal(inner) for inner in value]
        case _:
            return value


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("7", 7),
        ("-0.5", -0.5),
        ("1E+2", 100.0),
        ("1.5e-7", 1.5e-7),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_numbers_in_the_form_of_dynamodb(number: str, value: float) -> None:
    assert same(from_attribute({"N": number}), value)


def test_tuples_and_enums_are_stored_as_in_json() -> None:
    assert to_attribute((1, "a")) == {"L": [{"N": "1"}, {"S": "a"}]}
    assert to_attribute(Role.ADMIN) == {"S": "admin"}


@pytest.mark.parametrize("value", [datetime(2026, 1, 1, tzinfo=UTC), Decimal(1), b"bytes", {1, 2}, object()], ids=type)
def test_values_outside_of_json_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        to_attribute(value)
    with pytest.raises(TypeError):
        to_item({"deep": [{"value": value}]})


@pytest.mark.parametrize("attribute", [{"SS": ["a"]}, {"B": b"x"}])
def test_types_that_we_never_write_are_refused(attribute: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="unexpected attribute type"):
        from_attribute(attribute)
