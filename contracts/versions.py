"""Upcasters: how the data of an old version becomes that of the next, so that a consumer reads only the newest.

An upcaster stands beside the newer model and stays there when the old version is gone, for what was written then is
still read: from queues, dead letters and archives.
"""

from collections.abc import Callable
from typing import Any

from contracts.event import ContractError, Event

Data = dict[str, Any]
Upcast = Callable[[Data], Data]
UPCASTERS: dict[str, tuple[str, Upcast]] = {}
"""By the old type: the new type, and the function from the old data to the new."""


def upcasts(old: str, new: type[Event]) -> Callable[[Upcast], Upcast]:
    """Register a function from the data of `old` ("tasks.task.assigned.v1") to that of `new`, the version after it.

    It gets what stood on the bus, so also fields that a newer producer added to the old version. Raises ContractError
    if the two are not consecutive versions of one event, or `old` has an upcaster.
    """
    family, _, version = old.rpartition(".v")
    if not version.isdigit() or new.event_type != f"{family}.v{int(version) + 1}":
        raise ContractError(f"{new.__module__}: an upcaster from {old} leads to {new.event_type}, not the next version")
    if old in UPCASTERS:
        raise ContractError(f"{new.__module__}: {old} has two upcasters; keep one")

    def register(function: Upcast) -> Upcast:
        UPCASTERS[old] = new.event_type, function
        return function

    return register


def older_types(event_type: str) -> tuple[str, ...]:
    """The types that upcasters turn into `event_type`, from the newest to the oldest."""
    found: list[str] = []
    target: str | None = event_type
    while target is not None:
        target = next((old for old, (new, _) in UPCASTERS.items() if new == target), None)
        if target is not None:
            found.append(target)
    return tuple(found)


def upcast(event_type: str, data: Data, wanted: Callable[[str], bool]) -> tuple[str, Data] | None:
    """`data` as the next version that is `wanted`, with its type; None if no upcaster leads to one."""
    while (step := UPCASTERS.get(event_type)) is not None:
        event_type, data = step[0], step[1](data)
        if wanted(event_type):
            return event_type, data
    return None
