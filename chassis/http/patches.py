"""Partial updates: a JSON merge patch (RFC 7396) is the body of every PATCH route.

A field that a patch leaves out stays as it is; null clears a field that may be empty; an object inside is a patch
itself, and an array replaces the whole array; an unknown field is refused.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

MEDIA_TYPE = "application/merge-patch+json"


def _without_defaults(schema: dict[str, Any]) -> None:
    """Remove the defaults from a schema: a field that a patch leaves out is not set to its default."""
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class MergePatch(BaseModel):
    """The body of a PATCH route. Every field needs a default, which is never used: read `changes`."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, json_schema_extra=_without_defaults)

    def changes(self) -> dict[str, Any]:
        """The fields that the patch names, with their new values, also of patches inside."""
        return self.model_dump(exclude_unset=True)
