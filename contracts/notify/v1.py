"""Events of the notify service, version 1."""

from contracts.access import Denial
from contracts.event import Event


class AccessDenied(Denial, Event, type="notify.access.denied.v1", subject="actor_id"):
    """Somebody was refused by notify in their own organization. Audit keeps it."""
