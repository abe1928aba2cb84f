"""Events of operators' commands, version 1. deploy/dead_letters publishes them, not a service."""

from contracts.event import Event


class LettersDropped(Event, type="operations.letters.dropped.v1", subject="subscription"):
    """An operator dropped dead letters of an organization, for a reason. Audit records it.

    The event is published before the dead letters are deleted, so a crash can leave some that are recorded as dropped.
    """

    subscription: str
    """The subscription that could not process them, such as notify.assignments."""
    count: int
    message_ids: list[str]
    """The ids of the dead letters in the dead-letter queue."""
    event_types: list[str]
    """The event types of the dead letters, each once; types that could not be read are missing."""
    reason: str
    operator: str


class LettersRedriven(Event, type="operations.letters.redriven.v1", subject="subscription"):
    """An operator redrove dead letters of an organization to their subscription. Audit records it."""

    subscription: str
    """The subscription that gets them again, such as notify.assignments."""
    count: int
    message_ids: list[str]
    """The ids that the dead letters had in the dead-letter queue."""
    event_types: list[str]
    """The event types of the dead letters, each once; types that could not be read are missing."""
    edited: bool
    """Whether the operator edited their data first."""
    operator: str
