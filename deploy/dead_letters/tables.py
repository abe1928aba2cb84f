"""What the commands show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from deploy.dead_letters.letter import DeadLetter

TOP = 3


def summary(found: Mapping[str, Sequence[DeadLetter]], now: datetime) -> Table:
    """One row a subscription that has letters: how many, since when, and mostly why."""
    table = Table("subscription", "letters", "oldest", "top causes")
    for subscription, letters in found.items():
        if letters:
            table.add_row(
                subscription, str(len(letters)), age(min(one.order[0] for one in letters), now), _causes(letters)
            )
    return table


def details(letters: Sequence[DeadLetter]) -> Table:
    """One row a letter, in the order in which they would go back."""
    table = Table("event", "org", "type", "error", "trace", "receives", "source message", expand=True)
    for one in sorted(letters, key=lambda each: each.order):
        cells = (one.event_id, one.org, one.type, one.cause, one.trace_id, str(one.receives), one.source_id)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def groups(letters: Sequence[DeadLetter]) -> Table:
    """What a command is about to move, by organization, type and cause."""
    table = Table("org", "type", "letters", "cause")
    counted = Counter((one.org, one.type, one.kind_of_cause) for one in letters)
    for (org, event_type, cause), count in sorted(counted.items()):
        table.add_row(escape(org), escape(event_type), str(count), escape(cause))
    return table


def age(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment.astimezone(UTC)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _causes(letters: Sequence[DeadLetter]) -> str:
    top = Counter(one.kind_of_cause for one in letters).most_common(TOP)
    return "\n".join(f"{count} × {escape(cause)}" for cause, count in top)
