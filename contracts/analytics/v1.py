"""Events of the analytics service, version 1."""

from contracts.access import Denial, KeyUse
from contracts.event import Event


class AccessDenied(Denial, Event, type="analytics.access.denied.v1", subject="actor_id"):
    """The analytics service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="analytics.api_key.used.v1", subject="key_id"):
    """A program used its API key in the analytics service. Identity shows the last use of the key; audit records it."""
