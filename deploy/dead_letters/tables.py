"""Tables for the operator: dead letters, and the rows in which a rebuilt projection differs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from chassis.storage.table import Item
from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.rebuild import Difference

TOP, SHOWN = 3, 50


def summary(by_subscription: Mapping[str, Sequence[DeadLetter]], now: datetime) -> Table:
    """One row per subscription that has dead letters: how many, since when, and the most frequent causes."""
    table = Table("subscription", "dead letters", "oldest", "top causes")
    for subscription, dead_letters in by_subscription.items():
        if dead_letters:
            oldest = age(min(each.order[0] for each in dead_letters), now)
            top = Counter(each.kind_of_cause for each in dead_letters).most_common(TOP)
            causes = "\n".join(f"{count} × {escape(cause)}" for cause, count in top)
            table.add_row(subscription, str(len(dead_letters)), oldest, causes)
    return table


def details(dead_letters: Sequence[DeadLetter]) -> Table:
    """One row per dead letter, in the order in which they would go back."""
    table = Table("event", "org", "type", "error", "trace", "receives", "source message", expand=True)
    for each in sorted(dead_letters, key=lambda dead_letter: dead_letter.order):
        cells = (each.event_id, each.org, each.type, each.cause, each.trace_id, str(each.receives), each.source_id)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def groups(dead_letters: Sequence[DeadLetter]) -> Table:
    """The dead letters that a command is about to move, by organization, type and cause."""
    table = Table("org", "type", "dead letters", "cause")
    counts = Counter((each.org, each.type, each.kind_of_cause) for each in dead_letters)
    for (org, event_type, cause), count in sorted(counts.items()):
        table.add_row(escape(org), escape(event_type), str(count), escape(cause))
    return table


def age(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment.astimezone(UTC)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def differences(found: Sequence[Difference]) -> Table | str:
    """One row per row of the projection that differs between the generations, the first SHOWN of them."""
    if not found:
        return "no row differs"
    table = Table("row", "live", "rebuilt", title=f"{len(found)} rows differ")
    for each in found[:SHOWN]:
        table.add_row(escape(each.key), escape(_fields(each.live, each.built)), escape(_fields(each.built, each.live)))
    return table


def _fields(item: Item | None, other: Item | None) -> str:
    """The fields of `item` that differ from `other`."""
    if item is None:
        return "(none)"
    differing = {name: value for name, value in sorted(item.items()) if other is None or other.get(name) != value}
    return json.dumps(differing, ensure_ascii=False)
