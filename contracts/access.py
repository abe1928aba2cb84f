"""Events about access that every service publishes: refused requests, and uses of API keys.

Each service declares both events under its own name and lists them among the events that it publishes:

`class AccessDenied(Denial, Event, type="tasks.access.denied.v1", subject="actor_id")`
`class ApiKeyUsed(KeyUse, Event, type="tasks.api_key.used.v1", subject="key_id")`

The chassis finds them by those types and publishes them.
"""

from datetime import datetime

from pydantic import BaseModel, Field

from contracts.common import ApiKeyId

DENIED = "{service}.access.denied.v1"
KEY_USED = "{service}.api_key.used.v1"


class Denial(BaseModel):
    """A refused request in the actor's own organization. The envelope contains the client's address."""

    actor_id: str
    operation: str | None = None
    """The operation that was requested; missing if the request was refused before the operation was known."""
    reason: str
    """`role`, `role-too-high`, `denied`, `organization-suspended`, `staff-only`, `membership-ended`, ..."""
    method: str
    route: str
    """The path as declared, with the names of its parameters."""
    count: int = Field(default=1, ge=1)
    """The number of refusals of this kind that the event stands for. Its other fields describe the last of them."""
    since: datetime
    """The time of the first of these refusals."""


class KeyUse(BaseModel):
    """A use of an API key by a program, at the envelope's time; reported per service at most once in ten minutes."""

    key_id: ApiKeyId
