"""What every service publishes of who comes to it: of those it refused, and of the API keys that programs used.

Each declares both events under its own name, and names them among what it publishes:

`class AccessDenied(Denial, Event, type="tasks.access.denied.v1", subject="actor_id")`
`class ApiKeyUsed(KeyUse, Event, type="tasks.api_key.used.v1", subject="key_id")`

The chassis finds them by those types, and publishes them.
"""

from datetime import datetime

from pydantic import BaseModel, Field

from contracts.common import ApiKeyId

DENIED = "{service}.access.denied.v1"
KEY_USED = "{service}.api_key.used.v1"


class Denial(BaseModel):
    """Somebody was refused what they asked for, in their own organization; the envelope says from where."""

    actor_id: str
    operation: str | None = None
    """What they asked for; none where the refusal came before that was known."""
    reason: str
    """`role`, `role-too-high`, `denied`, `organization-suspended`, `staff-only`, `membership-ended`, ..."""
    method: str
    route: str
    """The path as it is declared, with the names of its parameters."""
    count: int = Field(default=1, ge=1)
    """How many refusals of this kind it stands for, the last of them like this."""
    since: datetime
    """When the first of them was."""


class KeyUse(BaseModel):
    """A program used its API key, when the envelope says; it tells it at most once in each ten minutes."""

    key_id: ApiKeyId
