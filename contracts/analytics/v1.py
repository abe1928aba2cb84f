"""Events of the analytics service, version 1."""

from contracts.access import Denial
from contracts.event import Event


class AccessDenied(Denial, Event, type="analytics.access.denied.v1", subject="actor_id"):
    """Somebody was refused by analytics in their own organization. Audit keeps it."""
