"""Bases of what routes take and return. A service's `schemas.py` derives its request bodies and views from them."""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from chassis.work.repository import PageRequest

Paged = Annotated[PageRequest, Depends()]
"""The query parameters `limit` and `cursor` of a list."""

PathId = Annotated[str, Path(max_length=80)]
"""An id in a route's path."""

Trimmed = StringConstraints(strip_whitespace=True)
"""Text without the white space around it; put it into `Annotated`, beside the field's own bounds."""


class RequestBody(BaseModel):
    """What a client sends. A field that is not declared is refused, so that a typing error changes nothing silently."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """What a client sees of an aggregate. Never the aggregate itself: a new field of that is private until a view has
    it. A view is made by its own class method `of`."""
