"""Events of the audit service, version 1."""

from contracts.access import Denial
from contracts.event import Event


class AccessDenied(Denial, Event, type="audit.access.denied.v1", subject="actor_id"):
    """Somebody was refused by audit in their own organization. Audit keeps it."""
