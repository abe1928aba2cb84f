"""Query parameters that a route does not know are refused, as unknown fields of a body are."""

from fastapi import Request
from fastapi.dependencies.models import Dependant

from chassis.errors import FieldError, Invalid

KNOWN = "known_query"
"""Where in a request's state the names are that its route knows."""


def known_query(dependant: Dependant) -> frozenset[str]:
    """Those of a route and of all that it depends on."""
    own = frozenset(parameter.alias for parameter in dependant.query_params)
    return own.union(*(known_query(inner) for inner in dependant.dependencies))


def refuse_unknown_query(request: Request) -> None:
    """Raises Invalid. A misspelt filter would otherwise show everything."""
    known: frozenset[str] = getattr(request.state, KNOWN)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        known_ones = ", ".join(sorted(known)) or "none"
        raise Invalid(
            f"Unknown query parameters; this route knows: {known_ones}.",
            [FieldError(f"query.{name}", "Extra inputs are not permitted") for name in unknown],
        )
