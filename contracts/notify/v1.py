"""Events of the notify service, version 1."""

from contracts.access import Denial, KeyUse
from contracts.event import Event


class AccessDenied(Denial, Event, type="notify.access.denied.v1", subject="actor_id"):
    """Somebody was refused by notify in their own organization. Audit keeps it."""


class ApiKeyUsed(KeyUse, Event, type="notify.api_key.used.v1", subject="key_id"):
    """A program used its API key in notify. Identity shows when a key was last used; audit keeps it."""
