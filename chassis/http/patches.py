"""Partial updates: a JSON merge patch (RFC 7396) is the body of every PATCH route.

What a patch leaves out stays as it is; null is for what can be without a value; an object inside is a patch itself, and
an array replaces the whole one; a field that there is not is refused.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

MEDIA_TYPE = "application/merge-patch+json"


def _without_defaults(schema: dict[str, Any]) -> None:
    """In a patch they stand for nothing: what is left out is not set to them."""
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class MergePatch(BaseModel):
    """The body of a PATCH route. Every field needs a default, which says nothing: ask for `changes`."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, json_schema_extra=_without_defaults)

    def changes(self) -> dict[str, Any]:
        """The fields that it names, with their new values; of a patch inside, those that it names."""
        return self.model_dump(exclude_unset=True)
