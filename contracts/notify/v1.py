"""Events of the notify service, version 1."""

from contracts.access import Denial, KeyUse
from contracts.event import Event


class AccessDenied(Denial, Event, type="notify.access.denied.v1", subject="actor_id"):
    """The notify service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="notify.api_key.used.v1", subject="key_id"):
    """A program used its API key in the notify service. Identity shows the last use of the key; audit records it."""
