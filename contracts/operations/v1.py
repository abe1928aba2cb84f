"""Events of operators' commands, version 1. No service publishes them: deploy/dead_letters does."""

from contracts.event import Event


class LettersDropped(Event, type="operations.letters.dropped.v1", subject="subscription"):
    """An operator gave up dead letters of an organization, for a reason. Audit keeps it.

    It is published before the letters are deleted, so there can be a record of letters that a crash left in place.
    """

    subscription: str
    """The consumer that could not handle them, such as notify.assignments."""
    count: int
    message_ids: list[str]
    """The letters, as the dead-letter queue names them."""
    event_types: list[str]
    """What the letters were, each type once; what could not be read is missing."""
    reason: str
    operator: str


class LettersRedriven(Event, type="operations.letters.redriven.v1", subject="subscription"):
    """An operator sent dead letters of an organization to their consumer again. Audit keeps it."""

    subscription: str
    """The consumer that gets them again, such as notify.assignments."""
    count: int
    message_ids: list[str]
    """The letters, as the dead-letter queue named them."""
    event_types: list[str]
    """What the letters were, each type once; what could not be read is missing."""
    edited: bool
    """Whether the operator changed their data first."""
    operator: str
