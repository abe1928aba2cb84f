"""What every service publishes of those it refused. Each declares the event under its own name:

`class AccessDenied(Denial, Event, type="tasks.access.denied.v1", subject="actor_id")` in its contracts, and names it
among what its service publishes. The chassis finds it by that type, and publishes it.
"""

from datetime import datetime

from pydantic import BaseModel, Field

DENIED = "{service}.access.denied.v1"


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
