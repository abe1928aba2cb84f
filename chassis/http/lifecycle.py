"""Routes that will go: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), declared once.

old = deprecated(since=date(2027, 1, 1), sunset=date(2027, 7, 1), link="https://…")
router = APIRouter(prefix="/v1/tasks", dependencies=[old])
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from chassis.http.headers import NOTES
from contracts.event import ContractError


@dataclass(frozen=True)
class Deprecation:
    """From the first moment of `since` on it should no longer be used; from that of `sunset` on it may be gone. `link`
    says what to use instead."""

    since: date
    sunset: date | None
    link: str | None

    def __call__(self, request: Request) -> None:
        getattr(request.state, NOTES).update(self.headers())

    def headers(self) -> dict[str, str]:
        headers = {"Deprecation": f"@{int(_start(self.since).timestamp())}"}
        if self.sunset is not None:
            headers["Sunset"] = format_datetime(_start(self.sunset), usegmt=True)
        if self.link is not None:
            headers["Link"] = f'<{self.link}>; rel="deprecation"; type="text/html"'
        return headers

    def extensions(self) -> dict[str, Any]:
        """What the OpenAPI document says of its operations."""
        told = {"x-deprecated-since": self.since, "x-sunset": self.sunset}
        return {"deprecated": True, **{name: str(day) for name, day in told.items() if day is not None}}


def deprecated(*, since: date, sunset: date | None = None, link: str | None = None) -> Any:
    """A dependency for a route, a router, or the inclusion of one. Raises ContractError for an end before the start."""
    if sunset is not None and sunset <= since:
        raise ContractError(f"what is deprecated since {since} can't have gone on {sunset}")
    return Depends(Deprecation(since, sunset, link))


def lifecycle(dependant: Dependant) -> dict[str, Any]:
    """What the OpenAPI document says of a route, by its dependencies."""
    if isinstance(dependant.call, Deprecation):
        return dependant.call.extensions()
    return {name: said for inner in dependant.dependencies for name, said in lifecycle(inner).items()}


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
