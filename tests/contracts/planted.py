"""Schemas for planted changes, made from models, as those of contracts are."""

from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from contracts.check.shape import Schema


def event(subject: str = "id", name: str = "Happened", **fields: Any) -> Schema:
    """The schema of an event with these fields: a type, or a tuple of a type and a default."""
    return _schema(name, "forbid", fields) | {"x-type": "shop.order.placed.v1", "x-subject": subject}


def reader(**fields: Any) -> Schema:
    """The schema of a consumer's subset with these fields."""
    return _schema("Reads", "ignore", fields)


def _schema(name: str, extra: Any, fields: dict[str, Any]) -> Schema:
    complete: dict[str, Any] = {
        key: value if isinstance(value, tuple) else (value, ...) for key, value in fields.items()
    }
    model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra=extra), **complete)
    return model.model_json_schema()
