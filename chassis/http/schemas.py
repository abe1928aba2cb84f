"""Base classes of request bodies and views, from which each service's `schemas.py` derives its own."""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from chassis.work.repository import PageRequest

Paged = Annotated[PageRequest, Depends()]
"""The query parameters `limit` and `cursor` of a list."""

PathId = Annotated[str, Path(max_length=80)]
"""An id in a route's path."""

Trimmed = StringConstraints(strip_whitespace=True)
"""Strips the white space around a text; put it into `Annotated`, beside the field's own bounds."""


class RequestBody(BaseModel):
    """The body of a request. A field that is not declared is refused, so that a typing error never goes unnoticed."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """An aggregate as clients see it, never the aggregate itself: a new field of the aggregate is private until a view
    declares it. A view is made by its class method `of`."""
