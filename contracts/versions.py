"""Upcasters: conversions from an event version to the next, so that a consumer reads only the newest.

An upcaster is defined beside the newer model and stays there when the old version is gone, because old events are still
read from queues, dead letters and archives.
"""

from collections.abc import Callable
from typing import Any

from contracts.event import ContractError, Event

Data = dict[str, Any]
Upcast = Callable[[Data], Data]
UPCASTERS: dict[str, tuple[str, Upcast]] = {}
"""The new type, and the function from the old data to the new, by the old type."""


def upcasts(old: str, new: type[Event]) -> Callable[[Upcast], Upcast]:
    """Registers a function from the data of `old` ("tasks.task.assigned.v1") to that of `new`, the next version.

    The function gets the data as published, including fields that a newer producer added to the old version. Raises
    ContractError if the two are not consecutive versions of one event, or if `old` already has an upcaster.
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
    types: list[str] = []
    target: str | None = event_type
    while target is not None:
        target = next((old for old, (new, _) in UPCASTERS.items() if new == target), None)
        if target is not None:
            types.append(target)
    return tuple(types)


def upcast(event_type: str, data: Data, wanted: Callable[[str], bool]) -> tuple[str, Data] | None:
    """Converts `data` to the next version that is `wanted`: its type and data, or None if no upcaster leads there."""
    while (step := UPCASTERS.get(event_type)) is not None:
        event_type, data = step[0], step[1](data)
        if wanted(event_type):
            return event_type, data
    return None
