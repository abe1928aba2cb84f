"""Refusal of query parameters that a route does not declare, as of unknown fields in a body."""

from fastapi import Request
from fastapi.dependencies.models import Dependant

from chassis.errors import FieldError, Invalid

KNOWN = "known_query"
"""The attribute of a request's state with the names that its route declares."""


def known_query(dependant: Dependant) -> frozenset[str]:
    """The query parameters of a route and of all its dependencies."""
    own = frozenset(parameter.alias for parameter in dependant.query_params)
    return own.union(*(known_query(inner) for inner in dependant.dependencies))


def refuse_unknown_query(request: Request) -> None:
    """Raises Invalid for an undeclared parameter. Otherwise a misspelt filter would return everything."""
    known: frozenset[str] = getattr(request.state, KNOWN)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        known_ones = ", ".join(sorted(known)) or "none"
        raise Invalid(
            f"Unknown query parameters; this route knows: {known_ones}.",
            [FieldError(f"query.{name}", "Extra inputs are not permitted") for name in unknown],
        )
