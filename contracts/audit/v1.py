"""Events of the audit service, version 1."""

from contracts.access import Denial, KeyUse
from contracts.event import Event


class AccessDenied(Denial, Event, type="audit.access.denied.v1", subject="actor_id"):
    """The audit service refused a request in the actor's own organization. Audit records it."""


class ApiKeyUsed(KeyUse, Event, type="audit.api_key.used.v1", subject="key_id"):
    """A program used its API key in the audit service. Identity shows the last use of the key; audit records it."""
